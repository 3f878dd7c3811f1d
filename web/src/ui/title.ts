import type { Translate } from '../i18n/translate.ts';
import type { Screen } from '../view/model.ts';
import { isOffice } from './route.ts';

// What the window is called. No person and no session is named: titles end up in task bars and on shared screens.
export function titleOf(screen: Screen, route: string, t: Translate): string {
  const admitted = screen.kind === 'lobby' || screen.kind === 'holding' || screen.kind === 'room';
  if (admitted && isOffice(route)) return t(route === 'link' ? 'link.title' : 'officer.title');
  switch (screen.kind) {
    case 'starting': return t('starting.title');
    case 'unsupported': return t('unsupported.title');
    case 'enrolling': return t(screen.state === 'waiting' ? 'enrol.waiting-title' : screen.state === 'declined' ? 'enrol.declined-title' : 'enrol.title');
    case 'refused': return t('refused.title');
    case 'lobby': return t('lobby.title');
    case 'holding': return t('holding.title');
    case 'room': return t('room.label');
  }
}
