import type { ProblemTable } from '../problem-text.ts';

const asBefore = 'Rien ne change dans la salle : chacun y voit et entend les autres comme avant.';
const notIn = 'Dans aucune séance on ne vous voit ni ne vous entend.';
const notHeard = 'Personne ne vous entend. Vous entendez tout le monde.';
const notSeen = 'On vous entend, on ne vous voit pas.';
const ownSideOnly = 'L’autre partie ne vous voit ni ne vous entend. Les personnes de votre partie, si.';
const nobody = 'Personne ne voit ni n’entend personne tant que ce n’est pas réglé.';
const cutOff = 'Personne ne vous voit ni ne vous entend, et vous ne voyez ni n’entendez personne.';

const tellTechnician = 'Prévenez votre responsable technique, en donnant la référence ci-dessous.';
const tellSecurity = 'Prévenez tout de suite votre responsable de la sécurité, en personne ou sur une autre ligne. Ne continuez pas à parler ici.';
const reload = 'Rechargez cette page. Si cela persiste, prévenez votre responsable technique.';
const seeOfficer = 'Voyez en personne un mandataire de votre partie.';
const nothing = 'Vous n’avez rien à faire.';

const problems: ProblemTable = {
  internal: { what: 'Quelque chose a échoué, et Parley n’a pas de nom pour cela.', who: asBefore, now: tellTechnician },

  malformed: { what: 'Un message était illisible et a été écarté.', who: asBefore, now: reload },
  'too-large': { what: 'Ce qui a été envoyé dépasse ce que Parley accepte, et a été refusé.', who: asBefore, now: 'Envoyez moins à la fois. Si vous n’avez rien fait d’inhabituel, prévenez votre responsable technique.' },
  'out-of-order': { what: 'Un message est arrivé à un moment où il n’a pas de sens, et a été refusé.', who: asBefore, now: reload },
  'wrong-version': { what: 'Cette page et le nœud parlent des versions différentes de Parley.', who: notIn, now: 'Rechargez cette page pour obtenir la version du nœud. Si cela persiste, le responsable technique doit mettre le nœud à jour.' },
  'too-many': { what: 'Trop de demandes sont venues de cet appareil en peu de temps. La dernière a été refusée.', who: asBefore, now: 'Attendez un instant, puis réessayez.' },
  'bad-signature': { what: 'Une signature n’est pas valable. Ce qu’elle signait a été refusé.', who: asBefore, now: tellSecurity },
  'unknown-session': { what: 'Votre nœud ne connaît pas cette séance.', who: notIn, now: 'Revenez aux séances et choisissez-en une dans la liste.' },
  'clock-off': { what: 'L’horloge de cet appareil ou d’un nœud s’écarte plus que permis.', who: notIn, now: 'Réglez l’horloge de cet appareil par le réseau, puis rechargez la page. Le responsable technique vérifie celle du nœud.' },
  'classical-only': { what: 'Un appareil n’offre que des clés qu’un ordinateur quantique pourrait briser. Il a été refusé.', who: 'Cet appareil ne voit et n’entend rien. Tous les autres se voient et s’entendent comme avant.', now: 'Utilisez un navigateur à jour sur cet appareil. La protection n’est pas abaissée pour le laisser entrer.' },
  'browser-too-old': { what: 'Ce navigateur ne sait pas sceller l’image et le son.', who: notIn, now: 'Ouvrez cette adresse dans un Chromium, Chrome, Edge ou Firefox à jour.' },
  'client-different': { what: 'Cette page n’est pas celle que votre nœud déclare.', who: notIn, now: 'Fermez la page et rouvrez-la. Si l’avis revient, n’entrez pas, et prévenez votre responsable de la sécurité.' },

  'not-accredited': { what: 'Cet appareil n’a pas d’accréditation de votre partie.', who: notIn, now: 'Enregistrez cet appareil, et comparez les mots en personne avec un mandataire de votre partie.' },
  'accreditation-expired': { what: 'Votre accréditation a expiré.', who: notIn, now: 'Demandez en personne une nouvelle accréditation à un mandataire de votre partie.' },
  'accreditation-early': { what: 'Votre accréditation n’est pas encore valable.', who: notIn, now: 'Revenez quand elle le sera, ou demandez à un mandataire de changer la date.' },
  'accreditation-foreign': { what: 'Cette accréditation est d’une autre partie. Ce nœud ne sert que les siens.', who: notIn, now: 'Ouvrez l’adresse du nœud de votre propre partie.' },
  'accreditation-altered': { what: 'Cette accréditation a été modifiée après sa signature.', who: notIn, now: 'N’entrez pas avec cet appareil. Prévenez votre responsable de la sécurité, puis enregistrez-vous de nouveau.' },
  'accreditation-revoked': { what: 'Un mandataire de votre partie a révoqué cette accréditation.', who: cutOff, now: seeOfficer },
  'accreditation-device': { what: 'Cette accréditation a été faite pour un autre appareil.', who: notIn, now: 'Utilisez l’appareil accrédité, ou enregistrez celui-ci.' },
  'enrolment-declined': { what: 'Un mandataire a refusé l’enregistrement de cet appareil.', who: notIn, now: seeOfficer },
  'not-officer': { what: 'Seul un mandataire de votre partie peut faire cela, depuis son propre appareil.', who: asBefore, now: 'Demandez à un mandataire de votre partie.' },
  'not-seated': { what: 'Vous êtes accrédité, mais le plan de cette séance n’a pas de siège pour vous.', who: notIn, now: 'Demandez à un mandataire de proposer votre admission ; l’autre partie doit y consentir.' },
  'not-joined': { what: 'Vous n’êtes pas dans la séance.', who: notIn, now: 'Revenez aux séances et entrez de là.' },
  'replaced-by-other-device': { what: 'Vous êtes entré avec un autre appareil, et celui-ci lui a cédé la place.', who: 'Sur cet appareil, personne ne vous voit ni ne vous entend. Sur l’autre, vous êtes dans la salle.', now: 'Continuez avec l’autre appareil. Si ce n’était pas vous, prévenez tout de suite votre responsable de la sécurité.' },

  replayed: { what: 'Un ancien message a été envoyé une seconde fois. Il a été refusé.', who: asBefore, now: 'Vous n’avez rien à faire. Si cela se répète, prévenez votre responsable de la sécurité.' },
  'not-yours': { what: 'Nul ne peut agir pour une autre personne ou une autre partie. La tentative a été refusée et consignée.', who: asBefore, now: 'Si vous voulez un changement chez l’autre partie, demandez-le à son mandataire.' },
  'not-in-force': { what: 'Toutes les parties n’ont pas signé le plan de cette séance.', who: notIn, now: 'Attendez que les mandataires de chaque partie aient signé.' },
  'already-done': { what: 'C’est déjà fait.', who: asBefore, now: nothing },
  'no-such-proposal': { what: 'La proposition à laquelle on a répondu n’existe plus.', who: asBefore, now: 'Regardez de nouveau les propositions.' },
  'proposal-lapsed': { what: 'La proposition a attendu trop longtemps une réponse, ou son heure est passée. Elle est caduque.', who: asBefore, now: 'Proposez-la de nouveau si elle est encore souhaitée.' },
  'no-such-track': { what: 'L’image ou le son demandé n’est plus là.', who: asBefore, now: 'Attendez ; il revient si la personne l’envoie de nouveau.' },
  'session-suspended': { what: 'La séance est suspendue.', who: ownSideOnly, now: 'Attendez. Elle reprend quand un mandataire de chaque partie y consent.' },
  'session-closed': { what: 'La séance est close.', who: nobody, now: 'Revenez aux séances.' },
  'time-over': { what: 'Le temps convenu de cette séance est écoulé. Ceux qui sont dans la salle continuent ; personne d’autre n’entre.', who: asBefore, now: 'Un mandataire propose une fin plus tardive ; chaque partie doit l’accepter.' },
  'stale-epoch': { what: 'Les clés ont changé entre-temps. C’est refusé et refait.', who: asBefore, now: nothing },
  'commit-claims': { what: 'Un changement de clés ne correspond pas à la liste des présents. Il a été refusé.', who: asBefore, now: tellSecurity },
  'plan-invalid': { what: 'Le plan est incomplet ou se contredit. Il n’a pas été proposé.', who: asBefore, now: 'Vérifiez les sièges, les deux parties et les heures, puis proposez-le de nouveau.' },
  'not-committer': { what: 'Un autre appareil change les clés en ce moment.', who: asBefore, now: nothing },

  'link-lost': { what: 'La liaison entre les deux nœuds est perdue. Personne n’est parti ; c’est une panne.', who: ownSideOnly, now: 'Ne parlez plus à l’autre partie. Les nœuds réessaient d’eux-mêmes ; votre responsable technique appelle le sien sur une autre ligne.' },
  'link-unknown-key': { what: 'Un nœud s’est présenté avec une clé que votre partie ne connaît pas. Il a été refusé.', who: asBefore, now: 'Si l’autre partie a un nouveau nœud, échangez les cartes de liaison en personne. Sinon, prévenez votre responsable de la sécurité.' },
  'link-swapped-key': { what: 'Le nœud de l’autre partie montre une autre clé que celle qui a été vérifiée. Il a été refusé.', who: ownSideOnly, now: 'N’ajoutez pas la nouvelle clé. Appelez l’autre partie sur une autre ligne, et prévenez votre responsable de la sécurité.' },
  'link-not-verified': { what: 'Personne n’a comparé l’empreinte de cette liaison.', who: asBefore, now: 'Un mandataire tape l’empreinte que celui de l’autre partie lui a remise en personne.' },
  'fingerprint-wrong': { what: 'L’empreinte tapée n’est pas celle de cette liaison.', who: asBefore, now: 'Relisez le papier et tapez-la encore. Si elle diffère de nouveau, n’utilisez pas cette liaison, et prévenez votre responsable de la sécurité.' },
  forked: { what: 'Un nœud a signé deux versions du journal qui ne peuvent être vraies toutes deux. Les deux sont gardées comme preuve.', who: nobody, now: tellSecurity },
  'held-back': { what: 'Ce qui a été demandé n’a été ni fait ni refusé, alors que la liaison fonctionne. C’est consigné.', who: ownSideOnly, now: 'Appelez le responsable technique de l’autre partie sur une autre ligne.' },
  gap: { what: 'Une partie du journal manque.', who: 'Vous ne voyez peut-être pas le dernier état de la séance.', now: 'Attendez qu’elle soit rapportée. Si cela dure une minute, prévenez votre responsable technique.' },
  'not-countersigned': { what: 'Le nœud de {side} n’a pas signé le journal depuis {time}, alors que la liaison fonctionne. D’ici là, personne ne peut être admis ni retiré.', who: 'Les personnes présentes se voient et s’entendent comme avant. Si quelqu’un doit être retiré entre-temps, on n’entend plus personne jusqu’à ce que ce soit fait.', now: 'Appelez le responsable technique de {side} sur une autre ligne.' },
  'member-differs': { what: 'L’appareil de {name} désigne un autre groupe de clés que tous les autres. Ou bien il ment, ou bien on l’en a séparé. Ce qui a été signé est gardé comme preuve.', who: 'Vous ne voyez ni n’entendez {name}. Tous les autres se voient et s’entendent comme avant.', now: 'Prévenez votre responsable de la sécurité et comparez l’empreinte avec {name} sur une autre ligne. Si l’appareil est en cause, un mandataire de cette partie en accrédite un autre.' },

  'media-failed': { what: 'L’image et le son n’arrivent pas à votre nœud.', who: cutOff, now: 'Parley réessaie de lui-même. Si cela persiste, prévenez votre responsable technique : le réseau les bloque peut-être.' },
  'microphone-refused': { what: 'Le navigateur ne laisse pas Parley utiliser le microphone.', who: notHeard, now: 'Autorisez le microphone dans la barre d’adresse du navigateur, puis redemandez.' },
  'microphone-lost': { what: 'Le microphone a disparu : débranché, ou pris par un autre programme.', who: notHeard, now: 'Rebranchez-le, ou choisissez un autre microphone.' },
  'camera-refused': { what: 'Le navigateur ne laisse pas Parley utiliser la caméra.', who: notSeen, now: 'Autorisez la caméra dans la barre d’adresse du navigateur, puis redemandez. Vous pouvez entrer sans elle.' },
  'camera-lost': { what: 'La caméra a disparu : débranchée, ou prise par un autre programme.', who: notSeen, now: 'Rebranchez-la, ou choisissez une autre caméra.' },
  'screen-refused': { what: 'Aucun écran n’a été choisi, ou le navigateur ne le permet pas.', who: 'Personne ne voit votre écran. On vous voit et vous entend comme avant.', now: 'Pressez de nouveau « Montrer l’écran » et choisissez une fenêtre.' },
  'cannot-open': { what: 'Ce que quelqu’un envoie ne s’ouvre pas avec les clés de cette séance.', who: 'Vous ne voyez ni n’entendez cette personne. Les autres, peut-être.', now: 'Attendez dix secondes. Si cela persiste, que cette personne entre de nouveau ; comparez ensuite l’empreinte.' },

  'node-unreachable': { what: 'Le nœud de votre partie est injoignable.', who: cutOff, now: 'Parley se reconnecte de lui-même. Vérifiez le réseau de cet appareil, et prévenez votre responsable technique.' },
  'node-stopping': { what: 'Le nœud de votre partie redémarre.', who: 'Pendant quelques secondes, personne ne vous voit ni ne vous entend.', now: 'Attendez. Vous revenez dans la salle sans rien faire.' },
  'disk-full': { what: 'Le disque du nœud est plein. Rien de nouveau ne peut être consigné, donc rien de nouveau n’est fait.', who: ownSideOnly, now: 'Le responsable technique libère de la place sur le nœud. Rien de ce qui est consigné n’est perdu.' },
  uncertain: { what: 'Ce que vous avez demandé a été transmis, et aucune réponse n’a pu être consignée ici. On ne sait pas si cela a été pris en compte.', who: asBefore, now: 'Ne le répétez pas. Si cela a été pris en compte, la salle le montrera. Le responsable technique s’occupe du nœud.' },
  'store-damaged': { what: 'La base de données du nœud est abîmée ou a été modifiée. Le nœud ne l’utilise pas.', who: nobody, now: 'Le responsable technique restaure l’archive. Le responsable de la sécurité garde le fichier abîmé.' },
  'port-busy': { what: 'Un autre programme occupe le port du nœud, qui ne démarre donc pas.', who: nobody, now: 'Le responsable technique arrête l’autre programme, ou fixe un autre port.' },
};

export default problems;
