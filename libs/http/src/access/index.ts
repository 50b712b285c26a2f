export { Access } from './access';
export { AccessGuard } from './access.guard';
export { bullBoardPolicy, docsSitePolicy, strictPolicy, swaggerPolicy } from './content-security-policy';
export { demandKey, demandRole, identityOf, mayBe, nameOf } from './identity';
export { changesSomething } from './own-site';
export { AnyKey, Open, Roles } from './roles';
export { SessionController } from './session.controller';
export { endedSessions, Sessions } from './sessions';
export { signingKey } from './signing-key';
