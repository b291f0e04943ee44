/** The control groups that limit this process's memory, by the version of Linux's control groups. */
export type MemoryGroups = { v1: string | undefined; v2: string | undefined };

/** @param listing of `/proc/self/cgroup` */
export const memoryGroups = (listing: string): MemoryGroups => ({
  v1: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m.exec(listing)?.[1],
  v2: /^0::(.*)$/m.exec(listing)?.[1],
});
