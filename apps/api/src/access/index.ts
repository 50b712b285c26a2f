export { Access } from './access';
export { AccessGuard } from './access.guard';
export { bullBoardPolicy, strictPolicy, swaggerPolicy } from './content-security-policy';
export { identityOf, mayBe, nameOf } from './identity';
export { changesSomething } from './origin';
export { AnyKey, AnyKeyInProduction, Open, Roles } from './roles';
export { signingKey } from './signing-key';
export { TenantThrottle } from './tenant-throttle';
