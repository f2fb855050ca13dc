/** `ringtail top`: the functions, files or packages that took most. */
import { byCumulative, type Grouping, topFunctions } from '../../profile/report/top';
import { topTable } from '../../profile/report/top-table';
import { EXIT_OK } from '../cli-error';
import { print } from './output';
import { openReport, type ReportWords } from './report';

export type TopWords = ReportWords & { cum: boolean; rows: number; by: Grouping };

export async function topCommand(source: string | undefined, words: TopWords): Promise<number> {
  const { profile, type, total, scale, head } = await openReport(source, words);
  const functions = topFunctions(profile, type, words.by);
  if (words.cum) functions.sort(byCumulative);
  const rows = words.rows === 0 ? functions.length : words.rows;
  const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
  const left = functions.length - rows;
  const more = left > 0 ? [`${left} more: -n 0 shows all`] : [];
  print([...head, ...topTable(functions, { scale, total, rows, columns }), ...more]);
  return EXIT_OK;
}
