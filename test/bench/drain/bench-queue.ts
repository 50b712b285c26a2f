/** The queue that every turn fills and drains. */
export const benchQueue = 'bench';
