/** The files of scripts that profiles of this agent have named: only about those may a collector ask. */
import { fileOf } from '../../../collector/profile/frame';

/** What finds no room is not known, and its functions keep their generated names. */
const SCRIPTS_MAX = 20_000;

export class NamedScripts {
  readonly #urls = new Set<string>();
  /** Files of the first URLs; those of the others are found out when somebody asks. */
  readonly #files = new Set<string>();
  #unread: string[] = [];

  /** url: as V8 tells it. */
  add(url: string): void {
    if (url === '' || this.#urls.size >= SCRIPTS_MAX || this.#urls.has(url)) return;
    this.#urls.add(url);
    this.#unread.push(url);
  }

  /** file: as a profile names it. */
  has(file: string): boolean {
    for (const url of this.#unread) this.#files.add(fileOf(url));
    this.#unread = [];
    return this.#files.has(file);
  }
}
