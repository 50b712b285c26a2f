import { Controller, Get, Redirect } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

/** Whoever opens the address that `npm start` prints finds out what there is. */
@ApiExcludeController()
@Controller()
export class HomeController {
  @Get()
  @Redirect('/docs')
  show(): void {
    // The decorator answers.
  }
}
