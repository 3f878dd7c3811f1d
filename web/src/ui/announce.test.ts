import { describe, expect, it } from 'vitest';
import { translator } from '../i18n/translate.ts';
import { gallery } from '../../gallery/fixtures/views.ts';
import type { Room, View } from '../view/model.ts';
import { gather, patience, Queue } from './announce-queue.ts';
import { changes } from './announce.ts';

const t = translator('en');
const view = gallery['room-stage']?.view as View;
const room = view.screen as Room;
const become = (change: Partial<Room>): View => ({ ...view, screen: { ...room, ...change } });
const said = (after: View, before: View = view): string[] => changes(before, after, t, 'en').map((s) => (s.urgent ? '! ' : '') + s.text);

describe('what a screen reader says', () => {
  it('nothing when nothing changed, nothing outside the room', () => {
    expect(said(view)).toEqual([]);
    expect(said({ ...view, screen: { kind: 'lobby' } })).toEqual([]);
  });

  it('who comes, goes, is lost and returns', () => {
    const without = room.roster.filter((row) => row.plate.person !== 'q-fm');
    const lost = room.roster.map((row) => (row.plate.person === 'q-fm' ? { ...row, presence: 'lost' as const } : row));
    const absent = room.roster.map((row) => (row.plate.person === 'q-fm' ? { ...row, presence: 'absent' as const } : row));
    expect(said(view, become({ roster: without }))).toEqual(['Younis al-Badr, Qasran, is in the room.']);
    expect(said(become({ roster: lost }))).toEqual(['The connection of Younis al-Badr is lost.']);
    expect(said(view, become({ roster: lost }))).toEqual(['Younis al-Badr is back.']);
    expect(said(become({ roster: absent }))).toEqual(['Younis al-Badr, Qasran, is no longer in the room.']);
  });

  it('one’s own microphone and a suspension at once', () => {
    expect(said(become({ microphone: { kind: 'muted' } }))).toEqual(['! You are muted.']);
    expect(said(become({ phase: { kind: 'suspended', reason: 'link-lost', of: null, since: 0 } }))).toEqual(['! The session is suspended. The link is lost. Nobody hears you.']);
    const of = room.self.side;
    expect(said(become({ phase: { kind: 'suspended', reason: 'officer', of, since: 0 } }))).toEqual([`! The session is suspended. An officer of ${of.name['en']} suspended the session. Nobody hears you.`]);
  });

  it('the protection when its kind or completeness changes, not its epoch', () => {
    expect(said(become({ protection: { ...room.protection, epoch: 8 } as Room['protection'] }))).toEqual([]);
    expect(said(become({ protection: { ...room.protection, confirmed: 6 } as Room['protection'] }))[0]).toMatch(/^Sealed, not all confirmed\. X-Wing · epoch 7 · 6 of 8/);
    expect(said(become({ protection: { kind: 'alarm', problem: { code: 'forked' } } }))[0]).toMatch(/^! Do not speak/);
  });
});

describe('when it says it', () => {
  it('gathers, waits for a pause of the speaker, and does not wait for ever', () => {
    const queue = new Queue();
    expect(queue.take(0, false)).toBeNull();
    queue.add('one.', 0);
    queue.add('two.', 400);
    queue.add('two.', 500);
    expect(queue.take(gather - 1, false)).toBeNull();
    expect(queue.take(gather, true)).toBeNull();
    expect(queue.take(gather + 200, false)).toBe('one. two.');
    queue.add('three.', 10_000);
    expect(queue.take(10_000 + patience - 1, true)).toBeNull();
    expect(queue.take(10_000 + patience, true)).toBe('three.');
  });

  it('keeps the last six when everyone comes at once', () => {
    const queue = new Queue();
    for (let i = 0; i < 20; i++) queue.add(`${i}.`, 0);
    expect(queue.take(gather, false)).toBe('14. 15. 16. 17. 18. 19.');
  });
});
