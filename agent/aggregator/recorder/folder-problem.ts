/** Why nothing could be written into a folder, seen before there is anything to write. Makes nothing. */
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** '' where nothing stands against it. What is not there yet is made when it is needed, so its parent must take it. */
export function folderProblem(folder: string): string {
  for (let path = folder; ; path = dirname(path)) {
    try {
      if (!statSync(path).isDirectory()) return `${path} is no folder`;
      accessSync(path, constants.W_OK | constants.X_OK);
      return '';
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
      if (!isMissing || path === dirname(path)) return message;
    }
  }
}
