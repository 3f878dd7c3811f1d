import { describe, expect, it } from 'vitest';
import { gallery } from '../../gallery/fixtures/views.ts';
import { translator } from '../i18n/translate.ts';
import type { Phase, PendingEnrolment, SessionCard } from '../view/model.ts';
import { asProblemCode } from '../view/problem.ts';
import { controlsOf } from './controls.ts';
import { check, type AccreditEntry } from './officer/accredit.ts';
import { checkPlan, type PlanEntry } from './officer/plan.ts';
import { fromInput, toInput } from './officer/when.ts';
import { protectionText } from './protection.ts';
import { isOffice, routeOf } from './route.ts';
import { nextFirst, parity } from './sessions.ts';

const t = translator('en');

describe('protection', () => {
  it('is degraded until every key is confirmed', () => {
    const sealed = { kind: 'sealed', suite: 'MLS_256_XWING_AES256GCM_SHA512_Ed25519', epoch: 7, confirmed: 6, members: 6 } as const;
    expect(protectionText(sealed, t, 'en')).toEqual({ level: 'sealed', title: 'Sealed end to end', detail: 'X-Wing · epoch 7 · all 6 keys confirmed' });
    expect(protectionText({ ...sealed, confirmed: 5 }, t, 'en')).toEqual({ level: 'partly', title: 'Sealed, not all confirmed', detail: 'X-Wing · epoch 7 · 5 of 6 keys confirmed' });
  });
  it('gives an unknown suite its whole name', () => {
    expect(protectionText({ kind: 'sealed', suite: 'MLS_128_P256', epoch: 1, confirmed: 1, members: 1 }, t, 'en').detail).toContain('MLS_128_P256');
  });
});

describe('controls', () => {
  it('are those of the role, and suspend is an officer’s in an open session', () => {
    expect(controlsOf('adviser', false, 'open')).toEqual({ microphone: true, camera: true, screen: true, officer: false, suspend: false });
    expect(controlsOf('observer', false, 'open')).toMatchObject({ microphone: false, camera: false, screen: false });
    expect(controlsOf('technical_lead', true, 'open').suspend).toBe(true);
    expect(controlsOf('technical_lead', true, 'suspended')).toMatchObject({ suspend: false, screen: false });
  });
});

describe('sessions', () => {
  it('stand in the order: now, signed, proposed, closed', () => {
    const card = gallery['lobby']?.view.sessions[0] as SessionCard;
    const of = (scope: string, phase: Phase, from: number): SessionCard => ({ ...card, scope, phase, from });
    const sorted = nextFirst([of('c', { kind: 'closed', at: 0 }, 0), of('p', { kind: 'proposed' }, 1), of('b', { kind: 'agreed' }, 9), of('a', { kind: 'agreed' }, 2), of('o', { kind: 'open' }, 5)]);
    expect(sorted.map((s) => s.scope).join('')).toBe('oabpc');
  });
  it('count principals and advisers for parity, not interpreters', () => {
    const seat = (side: string, role: string): { side: string; role: string } => ({ side, role });
    expect(parity([seat('a', 'principal'), seat('b', 'principal'), seat('b', 'interpreter')])).toBe(true);
    expect(parity([seat('a', 'principal'), seat('b', 'principal'), seat('b', 'adviser')])).toBe(false);
  });
});

describe('the accreditation form', () => {
  const enrolment: PendingEnrolment = { id: 'e', words: [], claims: { name: 'N', note: '', language: 'en' }, since: 0 };
  const entry: AccreditEntry = { compared: true, person: 'v-adv4', name: { en: ' Edmund Harrow ', ar: '' }, office: {}, role: 'adviser', formats: ['restricted'], from: '2026-02-03T15:00', until: '2026-03-03T15:00' };
  it('makes a draft with only what was written', () => {
    expect(check(enrolment, entry).draft).toEqual({ enrolment: 'e', person: 'v-adv4', name: { en: 'Edmund Harrow' }, office: {}, role: 'adviser', formats: ['restricted'], from: Date.UTC(2026, 1, 3, 15), until: Date.UTC(2026, 2, 3, 15), wordsCompared: true });
  });
  it('cannot be sent before the words were compared', () => {
    expect(check(enrolment, { ...entry, compared: false })).toEqual({ faults: ['compared'], draft: null });
  });
  it.each([
    ['person', { person: 'Big Name' }], ['name', { name: { en: '  ' } }], ['formats', { formats: [] }], ['until', { until: '2026-02-03T15:00' }], ['until', { until: 'soon' }],
  ] as const)('names the fault %s', (fault, change) => {
    expect(check(enrolment, { ...entry, ...change } as AccreditEntry).faults).toEqual([fault]);
  });
});

describe('the plan form', () => {
  const entry: PlanEntry = { title: { en: 'Summit' }, status: 'formal', other: 'b', sequencer: 'a', formatName: {}, from: '2026-02-03T15:00', until: '2026-02-03T17:00', seats: [{ side: 'a', person: 'v-prin', role: 'principal' }, { side: 'b', person: 'q-prin', role: 'principal' }, { side: 'a', person: '', role: 'adviser' }] };
  it('leaves out empty seats', () => {
    expect(checkPlan('a', entry).draft?.seats.length).toBe(2);
  });
  it.each([
    ['title', { title: {} }], ['until', { until: '' }], ['seats', { seats: entry.seats.slice(0, 1) }], ['twice', { seats: [...entry.seats, { side: 'a', person: 'v-prin', role: 'adviser' as const }] }], ['person', { seats: [...entry.seats, { side: 'a', person: 'Big Name', role: 'adviser' as const }] }],
  ] as const)('names the fault %s', (fault, change) => {
    expect(checkPlan('a', { ...entry, ...change } as PlanEntry).faults).toEqual([fault]);
  });
});

describe('small things', () => {
  it('a form’s time is UTC', () => {
    expect(fromInput(toInput(Date.UTC(2026, 1, 3, 15, 4)))).toBe(Date.UTC(2026, 1, 3, 15, 4));
    expect(fromInput('tomorrow')).toBeNaN();
  });
  it('an unknown route is the main screen', () => {
    expect(routeOf('#/officer/people')).toBe('officer/people');
    expect(routeOf('#/constructor')).toBe('');
    expect(isOffice('roster')).toBe(false);
  });
  it('a code of a newer node is shown as internal', () => {
    expect(asProblemCode('link-lost')).toBe('link-lost');
    expect(asProblemCode('toString')).toBe('internal');
  });
});

describe('the gallery', () => {
  it('is listed by the scripts as it is', async () => {
    // @ts-expect-error a plain script
    const { screens } = await import('../../gallery/screens.mjs');
    expect(await screens()).toEqual(Object.keys(gallery));
  });
});
