import { pick } from '../i18n/text.ts';
import type { Language } from '../i18n/languages.ts';
import type { Translate } from '../i18n/translate.ts';
import type { Phase, Plate, Room, RosterRow, View } from '../view/model.ts';
import { protectionText } from './protection.ts';
import { whyStill } from './suspension.ts';

export interface Said {
  readonly text: string;
  readonly urgent: boolean;
}

// changes compares two views and gives what a person who does not see the page must be told.
export function changes(before: View, after: View, t: Translate, language: Language): Said[] {
  const said: Said[] = [];
  if (before.screen.kind !== 'room' || after.screen.kind !== 'room') return said;
  const old = before.screen;
  const room = after.screen;
  const name = (plate: Plate): string => pick(plate.name, language).text;
  const later = (text: string): void => void said.push({ text, urgent: false });
  const atOnce = (text: string): void => void said.push({ text, urgent: true });

  const rows = new Map(old.roster.map((row) => [keyOf(row), row]));
  for (const row of room.roster) {
    const was = rows.get(keyOf(row))?.presence ?? 'absent';
    if (row.own || was === row.presence) continue;
    if (row.presence === 'here' && was === 'absent') later(t('say.joined', { name: name(row.plate), side: pick(row.plate.side.name, language).text }));
    else if (row.presence === 'here' && was === 'lost') later(t('say.returned', { name: name(row.plate) }));
    else if (row.presence === 'lost') later(t('say.lost', { name: name(row.plate) }));
    else if (row.presence === 'absent' && was !== 'absent') later(t('say.left', { name: name(row.plate), side: pick(row.plate.side.name, language).text }));
  }

  const wasMuted = old.microphone.kind === 'muted';
  const muted = room.microphone.kind === 'muted';
  if (muted && !wasMuted) atOnce(t('say.muted'));
  if (wasMuted && room.microphone.kind === 'live') atOnce(t('say.unmuted'));

  const sharedBy = screenOf(old);
  const sharing = screenOf(room);
  if (sharing && sharing !== sharedBy && room.layout.kind === 'screen') later(t('say.sharing', { name: name(room.layout.screen.by) }));
  if (!sharing && sharedBy) later(t('say.sharing-ended'));

  sayPhase(old.phase, room.phase, t, language, atOnce);

  const seal = protectionText(room.protection, t, language);
  if (room.protection.kind !== old.protection.kind || seal.level !== protectionText(old.protection, t, language).level) {
    (room.protection.kind === 'alarm' ? atOnce : later)(`${seal.title}. ${seal.detail}.`);
  }
  return said;
}

function sayPhase(old: Phase, phase: Phase, t: Translate, language: Language, atOnce: (text: string) => void): void {
  if (old.kind === phase.kind) return;
  if (phase.kind === 'suspended') atOnce(t('say.suspended', { reason: whyStill(phase, t, language) }));
  else if (phase.kind === 'closed') atOnce(t('say.closed'));
  else if (old.kind === 'suspended' && phase.kind === 'open') atOnce(t('say.resumed'));
}

const keyOf = (row: RosterRow): string => `${row.plate.side.id}/${row.plate.person}`;
const screenOf = (room: Room): string | null => (room.layout.kind === 'screen' ? room.layout.screen.id : null);
