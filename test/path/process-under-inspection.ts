import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'undici';

export interface CalledFunction {
  /** The TypeScript file. */
  readonly file: string;
  readonly line: number;
  readonly label: string;
  /** The number of lines in the built file. */
  readonly lines: number;
}

interface Found extends CalledFunction {
  readonly url: string;
  readonly start: Position;
  readonly end: Position;
}

interface Position {
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

/**
 * Finds the named functions of this repository that a process calls: V8 counts the calls of the first run, and
 * breakpoints in these functions show the order of the second run
 * (https://chromedevtools.github.io/devtools-protocol/v8).
 */
export class ProcessUnderInspection {
  private readonly replies = new Map<number, (result: any) => void>();
  private readonly scripts = new Map<string, string>();
  private readonly atBreakpoint = new Map<string, Found>();
  private found: Found[] = [];
  private readonly order = new Set<Found>();
  private commands = 0;

  private constructor(
    readonly name: string,
    private readonly socket: WebSocket,
  ) {
    socket.addEventListener('message', ({ data }) => this.receive(JSON.parse(data as string)));
  }

  /** @param address of the inspector, `ws://…` */
  static async of(name: string, address: string): Promise<ProcessUnderInspection> {
    const socket = new WebSocket(address);
    await once(socket, 'open');
    const inspected = new ProcessUnderInspection(name, socket);
    await inspected.send('Profiler.enable');
    return inspected;
  }

  /** In the order of their first calls. Functions that were not called again come last. */
  get called(): readonly CalledFunction[] {
    return [...this.order, ...this.found.filter((one) => !this.order.has(one))];
  }

  async startCoverage(): Promise<void> {
    await this.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    await this.send('Profiler.takePreciseCoverage'); // Resets the counters.
  }

  /** Ends the counting, and starts to record the order of calls. */
  async endCoverage(): Promise<void> {
    const { result } = await this.send<Coverage>('Profiler.takePreciseCoverage');
    await this.send('Profiler.stopPreciseCoverage');
    this.found = result.flatMap((script) => calledIn(script));
    await this.send('Debugger.enable');
    for (const one of this.found) await this.breakIn(one);
  }

  async close(): Promise<void> {
    await this.send('Debugger.disable');
    this.socket.close();
  }

  private async breakIn(one: Found): Promise<void> {
    const scriptId = this.scripts.get(one.url)!;
    const { locations } = await this.send<{ locations: Position[] }>('Debugger.getPossibleBreakpoints', {
      start: { scriptId, ...one.start },
      end: { scriptId, ...one.end },
    });
    const [first] = locations;
    if (!first) return;
    const location = { scriptId, lineNumber: first.lineNumber, columnNumber: first.columnNumber };
    const { breakpointId } = await this.send<{ breakpointId: string }>('Debugger.setBreakpoint', { location });
    this.atBreakpoint.set(breakpointId, one);
  }

  private receive({ id, method, params, result, error }: any): void {
    if (id !== undefined) {
      this.replies.get(id)?.(error ? {} : result);
      this.replies.delete(id);
    } else if (method === 'Debugger.scriptParsed') {
      this.scripts.set(params.url, params.scriptId);
    } else if (method === 'Debugger.paused') {
      for (const breakpointId of params.hitBreakpoints as string[]) {
        const one = this.atBreakpoint.get(breakpointId);
        if (one) this.order.add(one);
        void this.send('Debugger.removeBreakpoint', { breakpointId });
      }
      void this.send('Debugger.resume');
    }
  }

  private send<Result = unknown>(method: string, params: object = {}): Promise<Result> {
    const id = (this.commands += 1);
    this.socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve) => this.replies.set(id, resolve));
  }
}

const exportGetter = /^(get \w+|function)\s*\(\)\s*\{\s*return [\w.[\]]+;\s*\}$/;

function calledIn({ url, functions }: Coverage['result'][number]): Found[] {
  if (!/\/dist\/(apps|libs)\//.test(url)) return [];
  const path = fileURLToPath(url);
  const text = readFileSync(path, 'utf8');
  const map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')));
  return functions.flatMap(({ functionName, ranges: [range] }) => {
    // The function without a name that starts at 0 is the module itself.
    if (functionName === '' || range === undefined || range.count === 0) return [];
    // Code that the compiler adds: getters of exports, and the function that sets the fields of a class.
    const code = text.slice(range.startOffset, range.endOffset);
    if (exportGetter.test(code) || functionName === '<instance_members_initializer>') return [];
    const [start, end] = [positionOf(text, range.startOffset), positionOf(text, range.endOffset)];
    const entry = map.findEntry(start.lineNumber, start.columnNumber);
    if (!('originalSource' in entry)) return [];
    return [
      {
        file: resolve(dirname(path), entry.originalSource),
        line: entry.originalLine + 1,
        label: functionName,
        lines: end.lineNumber - start.lineNumber + 1,
        url,
        start,
        end,
      },
    ];
  });
}

function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { lineNumber: before.split('\n').length - 1, columnNumber: offset - lineStart };
}
