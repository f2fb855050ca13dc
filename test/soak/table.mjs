/** What a soak has to tell at its end. */

/** One row a part and line; below it what each said of itself, last run. all: results of runPart. */
export function partsTable(all) {
  const byRun = new Map();
  for (const result of all) {
    const key = `${result.part.name} ${result.line}`;
    byRun.set(key, [...(byRun.get(key) ?? []), result]);
  }
  const rows = [...byRun.values()].map((runs) => [
    runs[0].part.name,
    runs[0].line,
    String(runs.length),
    String(runs.filter(({ passed }) => !passed).length),
    runs.map(({ seconds }) => seconds.toFixed(0)).join(' '),
    runs.map(({ load }) => load.toFixed(1)).join(' '),
  ]);
  const told = [...byRun.values()].flatMap((runs) => {
    const { part, line, told } = runs.at(-1);
    return told.map((text) => `  ${part.name}, ${line}: ${text}`);
  });
  return [table([['part', 'node', 'runs', 'failed', 'seconds', 'load'], ...rows]), '', ...told].join('\n');
}

/** Figures down, Node lines across: they are many more. */
export function figuresTable(all) {
  const rows = all.flatMap(({ figures }) => (figures === null ? [] : [figures]));
  if (rows.length === 0) return '';
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return table(names.map((name) => [name, ...rows.map((row) => String(row[name] ?? '-'))]));
}

/** cells: the first row is the head. */
function table(cells) {
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const render = (row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  const [head, ...rows] = cells.map(render);
  return [head, render(widths.map((width) => '-'.repeat(width))), ...rows].join('\n');
}
