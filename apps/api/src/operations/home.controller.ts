import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AnyKeyInProduction } from '../access';

/** Whoever opens the address that `npm start` prints finds out what there is. */
@ApiExcludeController()
@AnyKeyInProduction()
@Controller()
export class HomeController {
  @Get()
  @Redirect('/docs')
  show(): void {
    // The decorator answers.
  }
}
