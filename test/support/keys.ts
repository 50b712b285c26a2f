/** One key for each role: users of two tenants, and the operators of the system. */
export const keys = {
  user: 'key-of-a-user-of-shop',
  rival: 'key-of-a-user-of-rival',
  viewer: 'key-of-someone-who-looks',
  operator: 'key-of-someone-who-mends',
  admin: 'key-of-someone-who-may-all',
} as const;

export const apiKeys = [
  `${keys.user}:shop:user`,
  `${keys.rival}:rival:user`,
  `${keys.viewer}:ops:viewer`,
  `${keys.operator}:ops:operator`,
  `${keys.admin}:ops:admin`,
];

export const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

export const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`ada:${key}`).toString('base64')}` });
