import '../../libs/configuration/src/check-node.cjs';
import '../../libs/observability/src/tracing/instrument.cjs';
import 'reflect-metadata';
import { runTogether } from '@app/observability';

/** All workers in one process. Arguments: the main file of each worker app. */
void runTogether('workers', () => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  for (const script of process.argv.slice(2)) require(script);
});
