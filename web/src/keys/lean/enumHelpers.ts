// ts-mls/util/enumHelpers.js for goja: the library turns each table round again for every value that it reads.

export function reverseMap(table: Record<string, number>): Record<number, string> {
  return Object.fromEntries(Object.entries(table).map(([name, n]) => [n, name]));
}

export function enumNumberToKey(table: Record<string, number>): (n: number) => string | undefined {
  let names: Map<number, string> | undefined; // made at first use: a table may be exported after it is asked for here
  return (n) => {
    names ??= new Map(Object.entries(table).map(([name, value]) => [value, name]));
    return names.get(n);
  };
}

export function openEnumNumberToKey(table: Record<string, number>): (n: number) => string {
  const known = enumNumberToKey(table);
  return (n) => known(n) ?? String(n);
}

export function openEnumNumberEncoder(table: Record<string, number>): (name: string) => number {
  return (name) => table[name] ?? Number(name);
}
