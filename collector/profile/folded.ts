/** Profiles as folded text, root first: `main;handler;parse 3`. Equal stacks with different labels become one line. */
import type { Profile } from './profile';

/** valueIndex: which sample type; the last by default. Lines are sorted by stack. */
export function encodeFolded(profile: Profile, valueIndex = profile.head.sampleTypes.length - 1): string {
  const stride = profile.head.sampleTypes.length;
  const totals = new Map<string, number>();
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const locations = profile.locationsOf(profile.samples[sample * 2]!).reverse();
    const stack = locations.map((location) => frameName(profile, location)).join(';');
    totals.set(stack, (totals.get(stack) ?? 0) + profile.values[sample * stride + valueIndex]!);
  }
  const lines = [...totals].filter(([, value]) => value !== 0).map(([stack, value]) => `${stack} ${value}\n`);
  return lines.sort().join('');
}

/** `handler (/srv/app.js)`; a frame without a file is only its name. Semicolons would split the frame. */
function frameName(profile: Profile, location: number): string {
  const { name, file } = profile.functionOf(location);
  return (file === '' ? name : `${name} (${file})`).replaceAll(';', ',');
}
