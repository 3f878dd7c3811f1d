import type { ProblemTable } from '../problem-text.ts';

const asBefore = 'En la sala no cambia nada: cada uno ve y oye a los demás como antes.';
const notIn = 'En ninguna sesión le ven ni le oyen.';
const notHeard = 'Nadie le oye. Usted oye a todos.';
const notSeen = 'Se le oye, pero no se le ve.';
const ownSideOnly = 'La otra parte no le ve ni le oye. Las personas de su parte, sí.';
const nobody = 'Nadie ve ni oye a nadie hasta que esto se resuelva.';
const cutOff = 'Nadie le ve ni le oye, y usted no ve ni oye a nadie.';

const tellTechnician = 'Avise a su responsable técnico y dele la referencia de abajo.';
const tellSecurity = 'Avise ahora a su responsable de seguridad, en persona o por otra línea. No siga hablando aquí.';
const reload = 'Cargue de nuevo esta página. Si persiste, avise a su responsable técnico.';
const seeOfficer = 'Acuda en persona a un apoderado de su parte.';
const nothing = 'No tiene que hacer nada.';

const problems: ProblemTable = {
  internal: { what: 'Algo ha fallado y Parley no tiene nombre para ello.', who: asBefore, now: tellTechnician },

  malformed: { what: 'Un mensaje no se pudo leer y se descartó.', who: asBefore, now: reload },
  'too-large': { what: 'Lo enviado es mayor de lo que Parley acepta, y se rechazó.', who: asBefore, now: 'Envíe menos de una vez. Si no hizo nada fuera de lo común, avise a su responsable técnico.' },
  'out-of-order': { what: 'Un mensaje llegó cuando no tenía sentido, y se rechazó.', who: asBefore, now: reload },
  'wrong-version': { what: 'Esta página y el nodo hablan versiones distintas de Parley.', who: notIn, now: 'Cargue de nuevo la página para obtener la versión del nodo. Si persiste, el responsable técnico debe actualizar el nodo.' },
  'too-many': { what: 'Llegaron demasiadas solicitudes de este dispositivo en poco tiempo. La última se rechazó.', who: asBefore, now: 'Espere un momento e inténtelo otra vez.' },
  'bad-signature': { what: 'Una firma no es válida. Lo que firmaba se rechazó.', who: asBefore, now: tellSecurity },
  'unknown-session': { what: 'Su nodo no conoce esta sesión.', who: notIn, now: 'Vuelva a las sesiones y elija una de la lista.' },
  'clock-off': { what: 'El reloj de este dispositivo o el de un nodo se desvía más de lo permitido.', who: notIn, now: 'Ajuste el reloj de este dispositivo por la red y cargue de nuevo la página. El responsable técnico comprueba el del nodo.' },
  'classical-only': { what: 'Un dispositivo solo ofrece claves que un ordenador cuántico podría romper. Se rechazó.', who: 'Ese dispositivo no ve ni oye nada. Todos los demás se ven y se oyen como antes.', now: 'Use un navegador actual en ese dispositivo. La protección no se rebaja para dejarlo entrar.' },
  'browser-too-old': { what: 'Este navegador no puede sellar la imagen y el sonido.', who: notIn, now: 'Abra esta dirección en una versión actual de Chromium, Chrome, Edge o Firefox.' },
  'client-different': { what: 'Esta página no es la que su nodo declara.', who: notIn, now: 'Cierre la página y ábrala de nuevo. Si el aviso vuelve, no entre, y avise a su responsable de seguridad.' },

  'not-accredited': { what: 'Este dispositivo no tiene acreditación de su parte.', who: notIn, now: 'Inscriba este dispositivo y compare las palabras en persona con un apoderado de su parte.' },
  'accreditation-expired': { what: 'Su acreditación ha caducado.', who: notIn, now: 'Pida en persona una nueva acreditación a un apoderado de su parte.' },
  'accreditation-early': { what: 'Su acreditación aún no es válida.', who: notIn, now: 'Vuelva cuando lo sea, o pida a un apoderado de su parte que cambie la fecha.' },
  'accreditation-foreign': { what: 'Esta acreditación es de otra parte. Este nodo solo atiende a los suyos.', who: notIn, now: 'Abra la dirección del nodo de su propia parte.' },
  'accreditation-altered': { what: 'Esta acreditación se modificó después de firmarse.', who: notIn, now: 'No entre con este dispositivo. Avise a su responsable de seguridad e inscríbase de nuevo.' },
  'accreditation-revoked': { what: 'Un apoderado de su parte revocó esta acreditación.', who: cutOff, now: seeOfficer },
  'accreditation-device': { what: 'Esta acreditación se hizo para otro dispositivo.', who: notIn, now: 'Use el dispositivo acreditado, o inscriba este.' },
  'enrolment-declined': { what: 'Un apoderado rechazó la inscripción de este dispositivo.', who: notIn, now: seeOfficer },
  'not-officer': { what: 'Solo un apoderado de su parte puede hacer esto, desde su propio dispositivo.', who: asBefore, now: 'Pídalo a un apoderado de su parte.' },
  'not-seated': { what: 'Está acreditado, pero el plan de esta sesión no tiene asiento para usted.', who: notIn, now: 'Pida a un apoderado de su parte que proponga su admisión; la otra parte debe aceptarla.' },
  'not-joined': { what: 'No está en la sesión.', who: notIn, now: 'Vuelva a las sesiones y entre desde allí.' },
  'replaced-by-other-device': { what: 'Entró con otro dispositivo, y este le cedió el lugar.', who: 'En este dispositivo nadie le ve ni le oye. En el otro está en la sala.', now: 'Siga con el otro dispositivo. Si no fue usted, avise ahora a su responsable de seguridad.' },

  replayed: { what: 'Un mensaje antiguo se envió por segunda vez. Se rechazó.', who: asBefore, now: 'No tiene que hacer nada. Si se repite, avise a su responsable de seguridad.' },
  'not-yours': { what: 'Nadie puede actuar por otra persona ni por otra parte. El intento se rechazó y quedó registrado.', who: asBefore, now: 'Si desea un cambio en la otra parte, pídalo a su apoderado.' },
  'not-in-force': { what: 'No todas las partes han firmado el plan de esta sesión.', who: notIn, now: 'Espere a que firmen los apoderados de cada parte.' },
  'already-done': { what: 'Esto ya se ha hecho.', who: asBefore, now: nothing },
  'no-such-proposal': { what: 'La propuesta a la que se respondió ya no existe.', who: asBefore, now: 'Mire de nuevo las propuestas.' },
  'proposal-lapsed': { what: 'La propuesta esperó demasiado una respuesta, o pasó su momento. Ha caducado.', who: asBefore, now: 'Propóngala de nuevo si todavía se desea.' },
  'no-such-track': { what: 'La imagen o el sonido solicitado ya no está.', who: asBefore, now: 'Espere; vuelve si la persona lo envía de nuevo.' },
  'session-suspended': { what: 'La sesión está suspendida.', who: ownSideOnly, now: 'Espere. Continúa cuando un apoderado de cada parte lo acepta.' },
  'session-closed': { what: 'La sesión está cerrada.', who: nobody, now: 'Vuelva a las sesiones.' },
  'time-over': { what: 'El tiempo acordado de esta sesión ha terminado. Quienes están en la sala continúan; nadie nuevo entra.', who: asBefore, now: 'Un apoderado propone un final posterior; todas las partes deben aceptarlo.' },
  'stale-epoch': { what: 'Las claves cambiaron entretanto. Se rechaza y se hace de nuevo.', who: asBefore, now: nothing },
  'commit-claims': { what: 'Un cambio de claves no coincide con la lista de presentes. Se rechazó.', who: asBefore, now: tellSecurity },
  'plan-invalid': { what: 'El plan está incompleto o se contradice. No se propuso.', who: asBefore, now: 'Revise los asientos, las dos partes y las horas, y propóngalo de nuevo.' },
  'not-committer': { what: 'Otro dispositivo está cambiando las claves en este momento.', who: asBefore, now: nothing },

  'link-lost': { what: 'Se ha perdido el enlace entre los dos nodos. Nadie se ha ido; es una avería.', who: ownSideOnly, now: 'Deje de hablar a la otra parte. Los nodos lo intentan solos; su responsable técnico llama al de la otra parte por otra línea.' },
  'link-unknown-key': { what: 'Un nodo se presentó con una clave que su parte no conoce. Se rechazó.', who: asBefore, now: 'Si la otra parte tiene un nodo nuevo, intercambien tarjetas de enlace en persona. Si no, avise a su responsable de seguridad.' },
  'link-swapped-key': { what: 'El nodo de la otra parte muestra una clave distinta de la verificada. Se rechazó.', who: ownSideOnly, now: 'No añada la clave nueva. Llame a la otra parte por otra línea, y avise a su responsable de seguridad.' },
  'link-not-verified': { what: 'Nadie ha comparado la huella de este enlace.', who: asBefore, now: 'Un apoderado escribe la huella que el de la otra parte le entregó en persona.' },
  'fingerprint-wrong': { what: 'La huella escrita no es la de este enlace.', who: asBefore, now: 'Lea otra vez el papel y escríbala de nuevo. Si vuelve a diferir, no use este enlace, y avise a su responsable de seguridad.' },
  forked: { what: 'Un nodo firmó dos versiones del registro que no pueden ser ciertas a la vez. Ambas se conservan como prueba.', who: nobody, now: tellSecurity },
  'held-back': { what: 'Lo solicitado no se hizo ni se rechazó, aunque el enlace está activo. Queda registrado.', who: ownSideOnly, now: 'Llame al responsable técnico de la otra parte por otra línea.' },
  gap: { what: 'Falta una parte del registro.', who: 'Quizá no vea el último estado de la sesión.', now: 'Espere a que se recupere. Si dura un minuto, avise a su responsable técnico.' },
  'not-countersigned': { what: 'El nodo de {side} no firma el registro desde {time}, aunque el enlace está activo. Hasta que lo haga no se puede admitir ni retirar a nadie.', who: 'Quienes están en la sala se ven y se oyen como antes. Si entretanto hay que retirar a alguien, no se oye a nadie hasta que se haga.', now: 'Llame al responsable técnico de {side} por otra línea.' },
  'member-differs': { what: 'El dispositivo de {name} nombra otro grupo de claves que todos los demás. O miente, o alguien lo ha separado. Lo firmado se conserva como prueba.', who: 'Usted no ve ni oye a {name}. Todos los demás se ven y se oyen como antes.', now: 'Avise a su responsable de seguridad y compare la huella con {name} por otra línea. Si el fallo es del dispositivo, un apoderado de esa parte acredita otro.' },

  'media-failed': { what: 'La imagen y el sonido no llegan a su nodo.', who: cutOff, now: 'Parley lo intenta de nuevo solo. Si persiste, avise a su responsable técnico: quizá la red los bloquea.' },
  'microphone-refused': { what: 'El navegador no deja que Parley use el micrófono.', who: notHeard, now: 'Permita el micrófono en la barra de direcciones del navegador y pregunte de nuevo.' },
  'microphone-lost': { what: 'El micrófono ha desaparecido: desconectado, o tomado por otro programa.', who: notHeard, now: 'Conéctelo de nuevo, o elija otro micrófono.' },
  'camera-refused': { what: 'El navegador no deja que Parley use la cámara.', who: notSeen, now: 'Permita la cámara en la barra de direcciones del navegador y pregunte de nuevo. Puede entrar sin ella.' },
  'camera-lost': { what: 'La cámara ha desaparecido: desconectada, o tomada por otro programa.', who: notSeen, now: 'Conéctela de nuevo, o elija otra cámara.' },
  'screen-refused': { what: 'No se eligió ninguna pantalla, o el navegador no lo permite.', who: 'Nadie ve su pantalla. A usted se le ve y oye como antes.', now: 'Pulse otra vez «Mostrar pantalla» y elija una ventana.' },
  'cannot-open': { what: 'Lo que alguien envía no se abre con las claves de esta sesión.', who: 'Usted no ve ni oye a esa persona. Los demás quizá sí.', now: 'Espere diez segundos. Si persiste, que esa persona entre de nuevo; después comparen la huella.' },

  'node-unreachable': { what: 'No se puede contactar con el nodo de su parte.', who: cutOff, now: 'Parley se conecta de nuevo solo. Compruebe la red de este dispositivo y avise a su responsable técnico.' },
  'node-stopping': { what: 'El nodo de su parte se está reiniciando.', who: 'Durante unos segundos nadie le ve ni le oye.', now: 'Espere. Volverá a la sala sin hacer nada.' },
  'disk-full': { what: 'El disco del nodo está lleno. No se puede registrar nada nuevo, así que no se hace nada nuevo.', who: ownSideOnly, now: 'El responsable técnico libera espacio en el nodo. Nada de lo registrado se pierde.' },
  uncertain: { what: 'Lo que pidió se transmitió, y aquí no se pudo registrar ninguna respuesta. No se sabe si fue aceptado.', who: asBefore, now: 'No lo repita. Si fue aceptado, la sala lo mostrará. El responsable técnico se ocupa del nodo.' },
  'store-damaged': { what: 'La base de datos del nodo está dañada o fue modificada. El nodo no la usa.', who: nobody, now: 'El responsable técnico restaura el archivo. El responsable de seguridad guarda el fichero dañado.' },
  'port-busy': { what: 'Otro programa usa el puerto del nodo, y por eso el nodo no arranca.', who: nobody, now: 'El responsable técnico detiene el otro programa, o fija otro puerto.' },
};

export default problems;
