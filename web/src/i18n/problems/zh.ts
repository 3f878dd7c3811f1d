import type { ProblemTable } from '../problem-text.ts';

const asBefore = '会场内没有变化：在场的人照常看到和听到彼此。';
const notIn = '没有任何会谈中的人看到或听到您。';
const notHeard = '无人听到您，您能听到所有人。';
const notSeen = '别人能听到您，但看不到您。';
const ownSideOnly = '对方看不到也听不到您，本方人员仍能看到和听到您。';
const nobody = '在此事解决之前，任何人都看不到也听不到彼此。';
const cutOff = '无人看到或听到您，您也看不到、听不到任何人。';

const tellTechnician = '请告知技术负责人，并报出下方的代号。';
const tellSecurity = '请立即当面或通过其他线路告知安全官，不要在此继续发言。';
const reload = '请重新加载此页。如仍如此，请告知技术负责人。';
const seeOfficer = '请当面找本方的一名授权官员。';
const nothing = '您无需做任何事。';

const problems: ProblemTable = {
  internal: { what: '发生了 Parley 无以名之的故障。', who: asBefore, now: tellTechnician },

  malformed: { what: '有一条消息无法读取，已丢弃。', who: asBefore, now: reload },
  'too-large': { what: '发送的内容超过 Parley 的上限，已被拒绝。', who: asBefore, now: '请一次少发一些。如果您没有异常操作，请告知技术负责人。' },
  'out-of-order': { what: '有一条消息在不该出现的时刻到达，已被拒绝。', who: asBefore, now: reload },
  'wrong-version': { what: '此页与节点使用不同版本的 Parley。', who: notIn, now: '请重新加载此页以取得节点的版本。如仍如此，须由技术负责人更新节点。' },
  'too-many': { what: '本设备短时间内发出的请求过多，最后一个已被拒绝。', who: asBefore, now: '请稍候再试一次。' },
  'bad-signature': { what: '有一个签名无效，所签内容已被拒绝。', who: asBefore, now: tellSecurity },
  'unknown-session': { what: '本方节点不知道这场会谈。', who: notIn, now: '请回到会谈列表，从中选择一场。' },
  'clock-off': { what: '本设备或某一节点的时钟偏差超过允许范围。', who: notIn, now: '请按网络校准本设备的时钟，然后重新加载此页。节点的时钟由技术负责人检查。' },
  'classical-only': { what: '有一台设备只提供量子计算机可能破解的密钥，已被拒绝。', who: '该设备看不到也听不到任何内容。其他所有人照常看到和听到彼此。', now: '请在该设备上使用最新的浏览器。不会为了让它进入而降低保护。' },
  'browser-too-old': { what: '此浏览器无法封印图像和声音。', who: notIn, now: '请用最新版的 Chromium、Chrome、Edge 或 Firefox 打开此地址。' },
  'client-different': { what: '此页不是本方节点所声明的页面。', who: notIn, now: '请关闭此页再重新打开。如通知再次出现，请勿进入，并告知安全官。' },

  'not-accredited': { what: '本设备没有本方的认可。', who: notIn, now: '请登记本设备，并与本方一名授权官员当面核对这些词。' },
  'accreditation-expired': { what: '您的认可已过期。', who: notIn, now: '请当面向本方一名授权官员申请新的认可。' },
  'accreditation-early': { what: '您的认可尚未生效。', who: notIn, now: '请在生效后再来，或请本方一名授权官员更改日期。' },
  'accreditation-foreign': { what: '此认可属于另一方。本节点只服务本方人员。', who: notIn, now: '请打开您本方节点的地址。' },
  'accreditation-altered': { what: '此认可在签署后被改动。', who: notIn, now: '请勿用本设备进入。请告知安全官，并重新登记。' },
  'accreditation-revoked': { what: '本方一名授权官员已撤销此认可。', who: cutOff, now: seeOfficer },
  'accreditation-device': { what: '此认可是为另一台设备签发的。', who: notIn, now: '请使用获认可的设备，或登记本设备。' },
  'enrolment-declined': { what: '一名授权官员拒绝了本设备的登记。', who: notIn, now: seeOfficer },
  'not-officer': { what: '此事只能由本方授权官员用其本人的设备办理。', who: asBefore, now: '请找本方一名授权官员。' },
  'not-seated': { what: '您已获认可，但本次会谈的计划中没有您的席位。', who: notIn, now: '请本方一名授权官员提议准许您进入；须经对方同意。' },
  'not-joined': { what: '您不在会谈中。', who: notIn, now: '请回到会谈列表，从那里进入。' },
  'replaced-by-other-device': { what: '您已用另一台设备进入，本设备让位。', who: '在本设备上无人看到或听到您；在另一台设备上，您已在会场。', now: '请使用另一台设备继续。如果那不是您，请立即告知安全官。' },

  replayed: { what: '一条旧消息被再次发送，已被拒绝。', who: asBefore, now: '您无需做任何事。如再次发生，请告知安全官。' },
  'not-yours': { what: '任何人不得代替他人或另一方行事。该企图已被拒绝并记录。', who: asBefore, now: '如需对方作出改变，请向对方的授权官员提出。' },
  'not-in-force': { what: '本次会谈的计划尚未由各方全部签署。', who: notIn, now: '请等待各方授权官员签署。' },
  'already-done': { what: '此事已经办妥。', who: asBefore, now: nothing },
  'no-such-proposal': { what: '所答复的提议已不存在。', who: asBefore, now: '请再看一遍提议。' },
  'proposal-lapsed': { what: '提议等待答复过久，或其时间已过，现已失效。', who: asBefore, now: '如仍有需要，请重新提出。' },
  'no-such-track': { what: '所请求的图像或声音已不存在。', who: asBefore, now: '请等待；对方再次发送时会恢复。' },
  'session-suspended': { what: '会谈已中止。', who: ownSideOnly, now: '请等待。各方均有一名授权官员同意后继续。' },
  'session-closed': { what: '会谈已结束。', who: nobody, now: '请回到会谈列表。' },
  'time-over': { what: '本次会谈约定的时间已到。在场者继续，新的人员不能进入。', who: asBefore, now: '由授权官员提议延后结束时间，须各方同意。' },
  'stale-epoch': { what: '其间密钥已更换。此事被拒绝并重新进行。', who: asBefore, now: nothing },
  'commit-claims': { what: '一次密钥更换与在场名单不符，已被拒绝。', who: asBefore, now: tellSecurity },
  'plan-invalid': { what: '计划不完整或自相矛盾，未予提出。', who: asBefore, now: '请检查席位、双方和时间，然后重新提议。' },
  'not-committer': { what: '另一台设备正在更换密钥。', who: asBefore, now: nothing },

  'link-lost': { what: '两个节点之间的专线中断。没有人离开，这是故障。', who: ownSideOnly, now: '请停止对对方发言。节点会自动重试；由本方技术负责人通过其他线路致电对方技术负责人。' },
  'link-unknown-key': { what: '有一个节点用本方不认识的密钥请求接入，已被拒绝。', who: asBefore, now: '如对方启用了新节点，请当面交换专线卡；否则请告知安全官。' },
  'link-swapped-key': { what: '对方节点出示的密钥与核实过的不同，已被拒绝。', who: ownSideOnly, now: '请勿添加新密钥。请通过其他线路致电对方，并告知安全官。' },
  'link-not-verified': { what: '尚无人核对此专线的指纹。', who: asBefore, now: '请授权官员键入对方授权官员当面交来的指纹。' },
  'fingerprint-wrong': { what: '键入的指纹不是此专线的指纹。', who: asBefore, now: '请再看一遍纸上内容并重新键入。如仍不同，请勿使用此专线，并告知安全官。' },
  forked: { what: '有一个节点签署了两份不可能同时为真的日志。两份均保存为证据。', who: nobody, now: tellSecurity },
  'held-back': { what: '专线畅通，但所请求之事既未执行也未被拒绝。此事已记录。', who: ownSideOnly, now: '请通过其他线路致电对方技术负责人。' },
  gap: { what: '日志有一部分缺失。', who: '您看到的可能不是会谈的最新状态。', now: '请等待重新取回。如持续一分钟，请告知技术负责人。' },
  'not-countersigned': { what: '专线畅通，但{side}的节点自 {time} 起未签署日志。在其签署之前，无法让人进入或移出。', who: '在场的人照常看到和听到彼此。如其间须移出某人，则在完成之前听不到任何人。', now: '请通过其他线路致电{side}的技术负责人。' },
  'member-differs': { what: '{name} 的设备所称的密钥群组与其他所有人不同。或是该设备说谎，或是有人将其隔开。所签署的内容已存为证据。', who: '您看不到也听不到 {name}，其他人照常看到和听到彼此。', now: '请告知安全官，并通过其他线路与 {name} 核对指纹。如系设备之故，由该方授权官员另行认证一台设备。' },

  'media-failed': { what: '图像和声音无法送达本方节点。', who: cutOff, now: 'Parley 会自动重试。如仍如此，请告知技术负责人：可能被网络阻断。' },
  'microphone-refused': { what: '浏览器不允许 Parley 使用麦克风。', who: notHeard, now: '请在浏览器地址栏允许使用麦克风，然后再次询问。' },
  'microphone-lost': { what: '麦克风不见了：已拔出，或被其他程序占用。', who: notHeard, now: '请重新插好，或选择另一麦克风。' },
  'camera-refused': { what: '浏览器不允许 Parley 使用摄像头。', who: notSeen, now: '请在浏览器地址栏允许使用摄像头，然后再次询问。没有摄像头也可以进入。' },
  'camera-lost': { what: '摄像头不见了：已拔出，或被其他程序占用。', who: notSeen, now: '请重新插好，或选择另一摄像头。' },
  'screen-refused': { what: '没有选择屏幕，或浏览器不允许。', who: '无人看到您的屏幕。您的图像和声音照常。', now: '请再次按“展示屏幕”并选择一个窗口。' },
  'cannot-open': { what: '某人发送的内容无法用本次会谈的密钥开启。', who: '您看不到也听不到此人，其他人或许可以。', now: '请等待十秒。如仍如此，请此人重新进入，之后核对指纹。' },

  'node-unreachable': { what: '无法连接本方节点。', who: cutOff, now: 'Parley 会自动重新连接。请检查本设备的网络，并告知技术负责人。' },
  'node-stopping': { what: '本方节点正在重新启动。', who: '几秒钟内无人看到或听到您。', now: '请等待，您会自动回到会场。' },
  'disk-full': { what: '节点的磁盘已满。无法记录新的内容，因此不再执行新的事项。', who: ownSideOnly, now: '由技术负责人在节点上腾出空间。已记录的内容没有丢失。' },
  uncertain: { what: '您的请求已转发，但此处无法记录答复。尚不知其是否被接受。', who: asBefore, now: '请勿重复。若已被接受，会谈室会显示。节点由技术负责人处理。' },
  'store-damaged': { what: '节点的数据库已损坏或被改动，节点不再使用它。', who: nobody, now: '由技术负责人恢复存档，安全官保存损坏的文件。' },
  'port-busy': { what: '节点的端口被另一程序占用，节点无法启动。', who: nobody, now: '由技术负责人停止该程序，或设定另一端口。' },
};

export default problems;
