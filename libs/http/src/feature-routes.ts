import type { Provider, Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';

/** What a use case adds to the API. */
export interface FeatureRoutes {
  readonly controllers: readonly Type[];
  readonly providers?: readonly Provider[];
  /** Registers middleware for requests that come without an API key. */
  readonly beforeAccess?: (app: NestExpressApplication) => void;
}
