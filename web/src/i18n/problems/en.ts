import type { ProblemTable } from '../problem-text.ts';

// Who hears and sees what, in the words that several failures share.
const asBefore = 'Nothing changes in the room: everyone there sees and hears the others as before.';
const notIn = 'Nobody in a session sees or hears you.';
const notHeard = 'Nobody hears you. You hear everyone.';
const notSeen = 'You are heard, and not seen.';
const ownSideOnly = 'The other side neither sees nor hears you. People of your own side still do.';
const nobody = 'Nobody sees or hears anybody until this is settled.';

const tellTechnician = 'Tell your technical lead, and give the reference below.';
const tellSecurity = 'Tell your security officer now, in person or on another line. Do not go on speaking here.';
const reload = 'Load this page again. If it stays, tell your technical lead.';
const seeOfficer = 'See an officer of your side in person.';
const again = 'Wait a moment and try once more.';

const problems: ProblemTable = {
  internal: { what: 'Something failed that Parley has no name for.', who: asBefore, now: tellTechnician },

  malformed: { what: 'A message could not be read and was thrown away.', who: asBefore, now: reload },
  'too-large': { what: 'What was sent is larger than Parley accepts, and was refused.', who: asBefore, now: 'Send less at once. If you did nothing unusual, tell your technical lead.' },
  'out-of-order': { what: 'A message came at a moment when it has no meaning, and was refused.', who: asBefore, now: reload },
  'wrong-version': { what: 'This page and the node speak different versions of Parley.', who: notIn, now: 'Load this page again to get the node’s own version. If it stays, the technical lead must update the node.' },
  'too-many': { what: 'Too many requests came from this device in a short time. The last one was refused.', who: asBefore, now: again },
  'bad-signature': { what: 'A signature is not valid. What it signed was refused.', who: asBefore, now: tellSecurity },
  'unknown-session': { what: 'Your node does not know this session.', who: notIn, now: 'Go back to the sessions and choose one from the list.' },
  'clock-off': { what: 'The clock of this device or of a node is wrong by more than is allowed.', who: notIn, now: 'Set the clock of this device by the network, then load this page again. The technical lead checks the node’s clock.' },
  'classical-only': { what: 'A device offers only keys that a quantum computer could break. It was refused.', who: 'That device sees and hears nothing. Everyone else sees and hears the others as before.', now: 'Use a current browser on that device. Protection is not lowered to let it in.' },
  'browser-too-old': { what: 'This browser cannot seal picture and sound.', who: notIn, now: 'Open this address in a current Chromium, Chrome, Edge or Firefox.' },
  'client-different': { what: 'This page is not the one that your node declares.', who: notIn, now: 'Close the page and open it again. If the notice returns, do not enter, and tell your security officer.' },

  'not-accredited': { what: 'This device has no accreditation from your side.', who: notIn, now: 'Enrol this device, and compare the words with an officer of your side in person.' },
  'accreditation-expired': { what: 'Your accreditation has expired.', who: notIn, now: 'Ask an officer of your side, in person, for a new accreditation.' },
  'accreditation-early': { what: 'Your accreditation is not valid yet.', who: notIn, now: 'Come back when it is valid, or ask an officer of your side to change the date.' },
  'accreditation-foreign': { what: 'This accreditation is of another side. This node serves only its own people.', who: notIn, now: 'Open the address of your own side’s node.' },
  'accreditation-altered': { what: 'This accreditation was changed after it was signed.', who: notIn, now: 'Do not enter with this device. Tell your security officer, and enrol anew.' },
  'accreditation-revoked': { what: 'An officer of your side revoked this accreditation.', who: 'You see and hear nothing more, and nobody sees or hears you.', now: seeOfficer },
  'accreditation-device': { what: 'This accreditation was made for another device.', who: notIn, now: 'Use the device that was accredited, or enrol this one.' },
  'enrolment-declined': { what: 'An officer declined the enrolment of this device.', who: notIn, now: seeOfficer },
  'not-officer': { what: 'Only an officer of your side may do this, from the officer’s own device.', who: asBefore, now: 'Ask an officer of your side.' },
  'not-seated': { what: 'You are accredited, but the plan of this session has no seat for you.', who: notIn, now: 'Ask an officer of your side to propose your admission; the other side must agree.' },
  'not-joined': { what: 'You are not in the session.', who: notIn, now: 'Go back to the sessions and enter from there.' },
  'replaced-by-other-device': { what: 'You entered with another device, and this one gave way to it.', who: 'On this device nobody sees or hears you. On the other one you are in the room.', now: 'Go on with the other device. If that was not you, tell your security officer now.' },

  replayed: { what: 'An old message was sent a second time. It was refused.', who: asBefore, now: 'You need not do anything. If this repeats, tell your security officer.' },
  'not-yours': { what: 'Nobody may act for another person or another side. The attempt was refused and recorded.', who: asBefore, now: 'If you want something changed on the other side, ask its officer.' },
  'not-in-force': { what: 'Not every side has signed the plan of this session.', who: notIn, now: 'Wait until the officers of every side have signed.' },
  'already-done': { what: 'This has been done already.', who: asBefore, now: 'You need not do anything.' },
  'no-such-proposal': { what: 'The proposal that was answered no longer stands.', who: asBefore, now: 'Look at the proposals again.' },
  'proposal-lapsed': { what: 'The proposal has waited too long for an answer, or its time has passed. It has lapsed.', who: asBefore, now: 'Propose it anew if it is still wished.' },
  'no-such-track': { what: 'The picture or sound that was asked for is no longer there.', who: asBefore, now: 'Wait; it comes back if the person sends it again.' },
  'session-suspended': { what: 'The session is suspended.', who: ownSideOnly, now: 'Wait. It goes on when an officer of every side agrees.' },
  'session-closed': { what: 'The session is closed.', who: nobody, now: 'Go back to the sessions.' },
  'time-over': { what: 'The agreed time of this session has ended. Those in the room go on; nobody new comes in.', who: asBefore, now: 'An officer proposes a later end; every side has to agree.' },
  'stale-epoch': { what: 'The keys changed while this was under way. It was refused and is made anew.', who: asBefore, now: 'You need not do anything.' },
  'commit-claims': { what: 'A change of keys does not match the roster. It was refused.', who: asBefore, now: tellSecurity },
  'plan-invalid': { what: 'The plan is not complete, or contradicts itself. It was not proposed.', who: asBefore, now: 'Check the seats, both sides and the times, then propose it again.' },
  'not-committer': { what: 'Another device is changing the keys at this moment.', who: asBefore, now: 'You need not do anything.' },

  'link-lost': { what: 'The link between the two nodes is lost. Nobody left; it is a fault.', who: ownSideOnly, now: 'Stop speaking to the other side. The nodes try again by themselves; your technical lead calls theirs on another line.' },
  'link-unknown-key': { what: 'A node knocked with a key that your side does not know. It was refused.', who: asBefore, now: 'If the other side has a new node, exchange link cards in person. Otherwise tell your security officer.' },
  'link-swapped-key': { what: 'The other side’s node shows another key than the one that was verified. It was refused.', who: ownSideOnly, now: 'Do not add the new key. Call the other side on another line, and tell your security officer.' },
  'link-not-verified': { what: 'Nobody has compared the fingerprint of this link.', who: asBefore, now: 'An officer types the fingerprint that the other side’s officer gave in person.' },
  'fingerprint-wrong': { what: 'The fingerprint that was typed is not that of this link.', who: asBefore, now: 'Read the paper again, and type it once more. If it differs again, do not use this link, and tell your security officer.' },
  forked: { what: 'A node signed two versions of the log that cannot both be true. Both are kept as evidence.', who: nobody, now: tellSecurity },
  'held-back': { what: 'Something that was asked for was neither done nor refused, although the link is up. This is recorded.', who: ownSideOnly, now: 'Call the other side’s technical lead on another line.' },
  gap: { what: 'Part of the log is missing.', who: 'You may not see the latest state of the session.', now: 'Wait while it is fetched again. If this stays for a minute, tell your technical lead.' },
  'not-countersigned': { what: 'The node of {side} has not signed the log since {time}, although the link is up. Until it does, nobody can be let in or removed.', who: 'Those in the room see and hear each other as before. If somebody has to be removed meanwhile, nobody is heard until that is done.', now: 'Call the technical lead of {side} on another line.' },
  'member-differs': { what: 'The device of {name} names another group of keys than all the others do. Either it lies, or somebody has split it off. What was signed is kept as evidence.', who: 'You neither see nor hear {name}. All others see and hear each other as before.', now: 'Tell your security officer, and compare the fingerprint with {name} on another line. If the device is at fault, an officer of that side accredits another one.' },

  'media-failed': { what: 'Picture and sound do not get through to your node.', who: 'Nobody sees or hears you, and you see and hear nobody.', now: 'Parley tries again by itself. If this stays, tell your technical lead: the network may block it.' },
  'microphone-refused': { what: 'The browser does not let Parley use the microphone.', who: notHeard, now: 'Allow the microphone in the browser’s address bar, then ask again.' },
  'microphone-lost': { what: 'The microphone is gone: unplugged, or taken by another program.', who: notHeard, now: 'Plug it in again, or choose another microphone.' },
  'camera-refused': { what: 'The browser does not let Parley use the camera.', who: notSeen, now: 'Allow the camera in the browser’s address bar, then ask again. You may enter without it.' },
  'camera-lost': { what: 'The camera is gone: unplugged, or taken by another program.', who: notSeen, now: 'Plug it in again, or choose another camera.' },
  'screen-refused': { what: 'The screen was not chosen, or the browser does not allow it.', who: 'Nobody sees your screen. You are seen and heard as before.', now: 'Press “Show screen” again and choose a window.' },
  'cannot-open': { what: 'What somebody sends cannot be opened with the keys of this session.', who: 'You do not see or hear that person. The others may.', now: 'Wait ten seconds. If it stays, that person enters again; compare the fingerprint afterwards.' },

  'node-unreachable': { what: 'Your side’s node cannot be reached.', who: 'Nobody sees or hears you, and you see and hear nobody.', now: 'Parley connects again by itself. Check the network of this device, and tell your technical lead.' },
  'node-stopping': { what: 'Your side’s node is being restarted.', who: 'For a few seconds nobody sees or hears you.', now: 'Wait. You return to the room by yourself.' },
  'disk-full': { what: 'The disk of the node is full. Nothing new can be recorded, so nothing new is done.', who: ownSideOnly, now: 'The technical lead frees space on the node. Nothing recorded so far is lost.' },
  uncertain: { what: 'What you asked for was sent on, and no answer could be recorded here. It is not known whether it was taken.', who: asBefore, now: 'Do not repeat it. If it was taken, the room will show it. The technical lead looks after the node.' },
  'store-damaged': { what: 'The database of the node is damaged or was changed. The node does not use it.', who: nobody, now: 'The technical lead restores the archive. The security officer keeps the damaged file.' },
  'port-busy': { what: 'Another program uses the node’s port, so the node does not start.', who: nobody, now: 'The technical lead stops the other program, or sets another port.' },
};

export default problems;
