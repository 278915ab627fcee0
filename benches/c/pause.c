/* A session's program that does nothing: says that it runs, and waits to be killed. */
#include <unistd.h>

int main(void) {
  if (write(1, "r", 1) != 1) return 1;
  for (;;) pause();
}
