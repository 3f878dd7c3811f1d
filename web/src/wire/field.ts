// What codec.ts knows of a field of a message.
export interface Field {
  readonly no: number;
  readonly name: string;
  /** A scalar's name, or a message's. */
  readonly type: string;
  readonly many?: "list" | "map";
  /** The choice that this field is one of. */
  readonly oneof?: string;
}

/** Table is the fields of every message of a file, in the order of their numbers. */
export type Table = Readonly<Record<string, readonly Field[]>>;
