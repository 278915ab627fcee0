/* The least that a client of a local daemon does: connect, ask, hear, leave. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char message[64] = "status";
  int socket_;
  if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
  strcpy(address.sun_path, argv[1]);
  socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
  if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  if (write(socket_, message, sizeof message) != sizeof message) return 1;
  return read(socket_, message, sizeof message) == sizeof message ? 0 : 1;
}
