/**
 * Settings for measurements. An empty variable selects the default of the product, instead of the short times that
 * tests use. The throttle is so high that no tenant reaches it.
 */
export const productTimes = {
  LEASE_MS: '',
  HEARTBEAT_MS: '',
  SWEEP_MS: '',
  RECONCILE_MS: '',
  FORGOTTEN_AFTER_MS: '',
  THROTTLE_PER_SECOND: '100000',
};
