/** `ringtail traces`: every stack with its labels. */
import { traces } from '../../profile/report/traces';
import { EXIT_OK } from '../cli-error';
import { print } from './output';
import { openReport, type ReportWords } from './report';

export type TracesWords = ReportWords & { rows: number };

export async function tracesCommand(source: string | undefined, words: TracesWords): Promise<number> {
  const { profile, type, scale, head } = await openReport(source, words);
  const max = words.rows === 0 ? profile.sampleCount : words.rows;
  const blocks = traces(profile, type, scale, max);
  const left = profile.sampleCount - blocks.length;
  const more = blocks.length === max && left > 0 ? ['', `${left} more: -n 0 shows all`] : [];
  print([...head, ...blocks.flatMap((block) => ['', ...block]), ...more]);
  return EXIT_OK;
}
