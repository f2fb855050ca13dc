/** What all reports begin with: a profile, filtered, and the sample type they are about. */

import type { Profile } from '../../profile/profile';
import { unfit } from '../../profile/profile-error';
import { type Filter, filterProfile } from '../../profile/report/filter';
import { reportHead } from '../../profile/report/report-head';
import { totalOf } from '../../profile/report/top';
import { ValueScale } from '../../profile/report/value-scale';
import { typeName } from '../../profile/value-type';
import { type CaptureWords, readSource } from './profile-source';

export type ReportWords = CaptureWords & Filter & { type?: string | undefined };

export type Report = {
  profile: Profile;
  /** Index of the sample type. */
  type: number;
  /** Of the profile before it was filtered: what percentages are of. */
  total: number;
  scale: ValueScale;
  head: string[];
};

export async function openReport(source: string | undefined, words: ReportWords): Promise<Report> {
  const { profile: whole } = await readSource(source, words);
  const type = typeIndex(whole, words.type);
  const total = totalOf(whole, type);
  const profile = filterProfile(whole, words);
  const scale = new ValueScale(whole.head.sampleTypes[type]!, total);
  return { profile, type, total, scale, head: reportHead(whole, type, total, totalOf(profile, type)) };
}

/** wanted: `cpu` or `cpu/nanoseconds`; the profile's default where it is not given. */
export function typeIndex(profile: Profile, wanted: string | undefined): number {
  if (wanted === undefined) return profile.defaultValueIndex;
  const { sampleTypes } = profile.head;
  const found = sampleTypes.findIndex((type) => type.type === wanted || typeName(type) === wanted);
  if (found >= 0) return found;
  throw unfit(`the profile has no sample type '${wanted}': it has ${sampleTypes.map(typeName).join(', ')}`);
}
