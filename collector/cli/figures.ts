/** Figures as people read them: a unit always, three significant digits at most, "-" for what is not known. */

export function millisText(millis: number | null): string {
  if (millis === null || !Number.isFinite(millis)) return '-';
  if (millis >= 10_000) return `${(millis / 1000).toFixed(1)} s`;
  if (millis >= 1000) return `${(millis / 1000).toFixed(2)} s`;
  if (millis >= 100) return `${millis.toFixed(0)} ms`;
  if (millis >= 10) return `${millis.toFixed(1)} ms`;
  return `${millis.toFixed(2)} ms`;
}

/** As in '640 of 812 ms': the unit stands once where both have the same. */
export function shareText(partMillis: number, wholeMillis: number): string {
  const [part, whole] = [millisText(partMillis), millisText(wholeMillis)];
  const unit = whole.slice(whole.lastIndexOf(' '));
  return `${part.endsWith(unit) ? part.slice(0, -unit.length) : part} of ${whole}`;
}

export function percentText(percent: number | null): string {
  if (percent === null || !Number.isFinite(percent)) return '-';
  return `${percent.toFixed(percent >= 100 ? 0 : 1)} %`;
}

export function bytesText(bytes: number): string {
  const mebibytes = bytes / (1024 * 1024);
  return mebibytes >= 1024 ? `${(mebibytes / 1024).toFixed(2)} GiB` : `${mebibytes.toFixed(1)} MiB`;
}

export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

export function errorsText(errors: number): string {
  return errors === 1 ? '1 error' : `${errors} errors`;
}

/** Local time of day. */
export function clockText(millis: number): string {
  const date = new Date(millis);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, '0'))
    .join(':');
}
