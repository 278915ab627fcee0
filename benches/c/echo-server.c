/* Answers 64 bytes with 64 bytes, to one client after the other. */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  char message[64];
  int listener, client;
  if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path) return 2;
  strcpy(address.sun_path, argv[1]);
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0) return 1;
  if (listen(listener, 64) != 0) return 1;
  while ((client = accept(listener, 0, 0)) >= 0) {
    while (read(client, message, sizeof message) == sizeof message)
      if (write(client, message, sizeof message) != sizeof message) break;
    close(client);
  }
  return 1;
}
