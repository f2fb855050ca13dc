/** `ringtail tree`: who calls whom, from the root. */
import { callTree } from '../../profile/report/call-tree';
import { EXIT_OK } from '../cli-error';
import { print } from './output';
import { openReport, type ReportWords } from './report';

export type TreeWords = ReportWords & { minPercent: number };

export async function treeCommand(source: string | undefined, words: TreeWords): Promise<number> {
  const { profile, type, total, scale, head } = await openReport(source, words);
  print([...head, ...callTree(profile, { type, scale, total, minPercent: words.minPercent })]);
  return EXIT_OK;
}
