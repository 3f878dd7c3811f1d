// <input type="datetime-local"> holds a wall-clock time without a zone. In Parley's forms it is always UTC, and the label says so.

export function toInput(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16);
}

// fromInput gives NaN for what is not a time.
export function fromInput(value: string): number {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(value) ? Date.parse(`${value}Z`) : Number.NaN;
}
