/**
 * Tests use short times. Here every time is the default of the product, which an empty variable selects. No tenant is
 * throttled.
 */
export const productTimes = {
  LEASE_MS: '',
  HEARTBEAT_MS: '',
  SWEEP_MS: '',
  RECONCILE_MS: '',
  FORGOTTEN_AFTER_MS: '',
  THROTTLE_PER_SECOND: '100000',
};
