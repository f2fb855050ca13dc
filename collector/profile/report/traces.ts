/** Every stack with its value and labels, leaf first, the most first. */
import { printable } from '../printable';
import type { Profile } from '../profile';
import { placedName } from './top-table';
import type { ValueScale } from './value-scale';

/** One block for each stack and set of labels; `max` at most. */
export function traces(profile: Profile, type: number, scale: ValueScale, max: number): string[][] {
  const stride = profile.head.sampleTypes.length;
  const taken = (sample: number) => profile.values[sample * stride + type]!;
  return Array.from({ length: profile.sampleCount }, (_, sample) => sample)
    .filter((sample) => taken(sample) !== 0)
    .sort((left, right) => Math.abs(taken(right)) - Math.abs(taken(left)))
    .slice(0, max)
    .map((sample) => {
      const path = profile.locationsOf(profile.samples[sample * 2]!);
      const labels = labelLines(profile, profile.samples[sample * 2 + 1]!, scale.columns);
      const value = scale.text(taken(sample)).padStart(scale.columns);
      const lines = path.map((location, index) => {
        const { name, file } = profile.functionOf(location);
        const inlined = profile.inlined[location] === 1 ? ' (inlined)' : '';
        const line = profile.locations[location * 2 + 1]!;
        const front = index === 0 ? value : ' '.repeat(scale.columns);
        return `${front}  ${placedName({ name, file, line })}${inlined}`;
      });
      return [...labels, ...(lines.length === 0 ? [`${value}  (no stack)`] : lines)];
    });
}

function labelLines(profile: Profile, set: number, columns: number): string[] {
  const labels = profile.labelSets[set]!;
  const lines: string[] = [];
  for (let index = 0; index < labels.length; index += 2) {
    lines.push(`${' '.repeat(columns)}  ${printable(`${labels[index]}: ${labels[index + 1]}`)}`);
  }
  for (const { key, value, unit } of profile.numericLabels[set]!) {
    lines.push(`${' '.repeat(columns)}  ${printable(`${key}: ${value} ${unit}`.trimEnd())}`);
  }
  return lines;
}
