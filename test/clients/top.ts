/** What `go tool pprof -top` printed, read back. Values in the unit of the type: ns, bytes, or a count. */

export type TopRow = { name: string; flat: number; cum: number };
export type Top = { type: string; durationSeconds: number; total: number; rows: TopRow[] };

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  mins: 60e9,
  hrs: 3600e9,
  B: 1,
  kB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
};

export function readTop(text: string): Top {
  const lines = text.split('\n');
  const rows = lines.slice(lines.findIndex((line) => line.includes('flat%')) + 1).flatMap((line) => {
    const [, flat, cum, name] =
      /^\s*(\S+)\s+\S+%\s+\S+%\s+(\S+)\s+\S+%\s+(.+?)(?: \(inline\))?$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, flat: numberOf(flat!), cum: numberOf(cum!) }];
  });
  return {
    type: /^Type: (.*)$/m.exec(text)?.[1] ?? '',
    durationSeconds: numberOf(/Duration: ([^,]+),/.exec(text)?.[1] ?? '0') / 1e9,
    total: numberOf(/(?:Total samples = |accounting for .* of )(-?[\d.]+[a-zA-Zµ]*)/.exec(text)?.[1] ?? '0'),
    rows,
  };
}

export function rowOf({ rows }: Top, name: string): TopRow {
  return rows.find((row) => row.name === name) ?? { name, flat: 0, cum: 0 };
}

function numberOf(text: string): number {
  const [, number = '0', unit = ''] = /^(-?[\d.]+)([a-zA-Zµ]*)$/.exec(text.trim()) ?? [];
  const scale = UNITS[unit];
  if (scale === undefined) throw new Error(`a unit of go tool pprof that is not known here: ${text}`);
  return Number(number) * scale;
}
