// The clocks of the capitals: as the plan says that every side has signed, and before there is one, as the own node was told.
import type { Plan } from "../../words/body";
import { hex } from "../../words/bytes";
import type { SideName, Zone } from "../../view/model";

const mostZones = 8;

/** zones has one for each side that names one, the own first. */
export function zones(own: SideName | null, ownZone: string, plans: readonly Plan[]): Zone[] {
  const out = new Map<string, Zone>();
  if (own !== null && ownZone !== "") out.set(own.id, { side: own.id, name: own.name, zone: ownZone });
  for (const plan of plans) {
    for (const s of plan.sides) {
      const side = hex(s.id);
      if (s.zone !== "" && !out.has(side) && out.size < mostZones) out.set(side, { side, name: s.name, zone: s.zone });
    }
  }
  return [...out.values()];
}
