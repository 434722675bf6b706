// Loaded before libc (LD_PRELOAD): a file system without hard links, as artifacts/ on another one, and, with
// NO_SYMLINKS, one without symbolic links, as FAT. link(2), symlink(2): EPERM.
#include <errno.h>

int link(const char *from, const char *to) {
  (void)from, (void)to;
  errno = EPERM;
  return -1;
}

#ifdef NO_SYMLINKS
int symlink(const char *target, const char *path) {
  (void)target, (void)path;
  errno = EPERM;
  return -1;
}
#endif
