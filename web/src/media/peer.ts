// What the up and the down connection have in common: a peer connection that says when its path has gone.

export interface Path {
  iceServers: RTCIceServer[];
  /** relay only, where a person's own network must not learn where the node is; "all" otherwise. */
  policy?: RTCIceTransportPolicy;
}

export type PeerState = "new" | "connecting" | "connected" | "interrupted" | "failed" | "closed";

/** How long ICE may say "disconnected" before we restart it: it takes seconds to say so, and often takes it back. */
const patience = 800;

export function makePeer(path: Path, changed: (state: PeerState) => void, restart: () => void): RTCPeerConnection {
  const pc = new RTCPeerConnection({
    iceServers: path.iceServers,
    iceTransportPolicy: path.policy ?? "all",
    bundlePolicy: "max-bundle",
    rtcpMuxPolicy: "require",
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const watch = () => {
    clearTimeout(timer);
    const state = stateOf(pc);
    changed(state);
    if (state === "interrupted") timer = setTimeout(() => stateOf(pc) === "interrupted" && restart(), patience);
    if (state === "failed") restart();
  };
  pc.addEventListener("connectionstatechange", watch);
  pc.addEventListener("iceconnectionstatechange", watch);
  return pc;
}

export function stateOf(pc: RTCPeerConnection): PeerState {
  if (pc.connectionState === "closed") return "closed";
  if (pc.iceConnectionState === "failed" || pc.connectionState === "failed") return "failed";
  if (pc.iceConnectionState === "disconnected") return "interrupted";
  return pc.connectionState === "disconnected" ? "interrupted" : pc.connectionState;
}
