/** The one table on stdout. */
const HEADS = ['work', 'Node', 'ours', 'peer', 'theirs', 'ratio [95 %]', 'floor', 'goal', 'met'];

export function renderTable(rows) {
  const lines = rows.map(cellsOf);
  const widths = HEADS.map((head, column) =>
    Math.max(head.length, ...lines.map((cells) => cells[column].length)),
  );
  const render = (cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd();
  const notes = [
    ...new Set(rows.filter(({ note }) => note !== '').map(({ work, note }) => `  ${work}: ${note}`)),
  ];
  return [
    render(HEADS),
    render(widths.map((width) => '-'.repeat(width))),
    ...lines.map(render),
    '',
    ...notes,
  ].join('\n');
}

function cellsOf({ work, node, unit, ours, peer, ratio, floors, goal, met }) {
  return [
    work,
    node.split('.')[0],
    ours === null ? '' : `${figure(ours[0])} [${figure(ours[1])}, ${figure(ours[2])}] ${unit}`,
    peer === null ? '' : `${peer.name} ${peer.version}`.replace(/ Node [\d.]+$/, ''),
    peer === null || peer.value === null ? '' : `${figure(peer.value)} ${unit}`,
    ratio === null ? '' : `${figure(ratio[0])}× [${figure(ratio[1])}, ${figure(ratio[2])}]`,
    floors.map(({ name, value }) => `${name} ${figure(value)}`).join(', '),
    goal,
    met === null ? '' : met ? 'yes' : 'NO',
  ];
}

/** Three significant digits, without exponents. */
export function figure(value) {
  if (!Number.isFinite(value)) return 'n/a';
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}
