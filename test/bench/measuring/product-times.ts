/** Tests hurry; here every time is the product's own default, which an empty variable stands for. No tenant is held back. */
export const productTimes = {
  LEASE_MS: '',
  HEARTBEAT_MS: '',
  SWEEP_MS: '',
  RECONCILE_MS: '',
  FORGOTTEN_AFTER_MS: '',
  THROTTLE_PER_SECOND: '100000',
};
