/** Tests hurry; here every time is the product's own default, which an empty variable stands for. */
export const productTimes = {
  LEASE_MS: '',
  HEARTBEAT_MS: '',
  SWEEP_MS: '',
  RECONCILE_MS: '',
  FORGOTTEN_AFTER_MS: '',
};
