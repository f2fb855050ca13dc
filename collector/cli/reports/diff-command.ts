/** `ringtail diff`: what changed between two profiles, function by function. */
import { commonType, compareProfiles, differenceTable } from '../../profile/report/difference';
import { filterProfile } from '../../profile/report/filter';
import { reportHead } from '../../profile/report/report-head';
import { ValueScale } from '../../profile/report/value-scale';
import { EXIT_OK } from '../cli-error';
import { print } from './output';
import { readSource } from './profile-source';
import { type ReportWords, typeIndex } from './report';

export type DiffWords = ReportWords & { rows: number; normalize: boolean };

/** after: undefined for a new one of the collector. */
export async function diffCommand(
  before: string,
  after: string | undefined,
  words: DiffWords,
): Promise<number> {
  const [one, two] = [await readSource(before, words), await readSource(after, words)];
  const type = typeIndex(two.profile, words.type);
  const sides = [
    { profile: filterProfile(one.profile, words), type: commonType(one.profile, two.profile, type) },
    { profile: filterProfile(two.profile, words), type },
  ] as const;
  const comparison = compareProfiles(...sides, words.normalize);
  const { functions, beforeTotal, afterTotal, factor } = comparison;
  const scale = new ValueScale(
    two.profile.head.sampleTypes[type]!,
    Math.max(beforeTotal, afterTotal * factor),
  );
  const rows = words.rows === 0 ? functions.length : words.rows;
  const left = functions.length - rows;
  const scaled = words.normalize ? [`normalized: values of after times ${factor.toPrecision(4)}`] : [];
  print([
    ...reportHead(sides[0].profile, sides[0].type, beforeTotal).map((line) => `before: ${line}`),
    ...reportHead(sides[1].profile, type, afterTotal).map((line) => `after:  ${line}`),
    ...scaled,
    ...(functions.length === 0 ? ['no difference'] : differenceTable(comparison, scale, rows)),
    ...(left > 0 ? [`${left} more: -n 0 shows all`] : []),
  ]);
  return EXIT_OK;
}
