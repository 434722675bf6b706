/* How a C application tells the agent how its model does. cc -o observe observe.c -lm */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* -1 where no agent runs: the application runs on. */
static int observer_open(const char *state_dir) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s/health.sock", state_dir);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

/* Real values of one output, and the time of one inference in ms. The agent's answer, one line, goes into `answer`. */
static int observe(int fd, const char *model, double ms, const char *output, const float *values,
                   int count, char *answer, size_t room) {
  char line[65536];
  int at = snprintf(line, sizeof line, "observe {\"model\":\"%s\",\"latencyMs\":%.6g,\"outputs\":{\"%s\":[",
                    model, ms, output);
  for (int i = 0; i < count && at < (int)sizeof line - 32; i++) {
    if (i > 0) line[at++] = ',';
    /* JSON has no NaN: it is said as null. */
    at += isfinite(values[i]) ? snprintf(line + at, 24, "%.6g", values[i])
                              : snprintf(line + at, 24, "null");
  }
  at += snprintf(line + at, sizeof line - at, "]}}\n");
  /* An agent that went away must not end the application with SIGPIPE. */
  if (send(fd, line, at, MSG_NOSIGNAL) != at) return -1;
  size_t read_bytes = 0;
  while (read_bytes + 1 < room) {
    if (recv(fd, answer + read_bytes, 1, 0) != 1) return -1;
    if (answer[read_bytes++] == '\n') break;
  }
  answer[read_bytes] = 0;
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  char answer[1024];
  float scores[2] = {0.25f, 0.75f};
  int fd = observer_open(argv[1]);
  for (int i = 0; fd >= 0 && i < 3; i++) {
    if (i == 2) scores[0] = NAN;
    if (observe(fd, argv[2], 1.5 + i, "scores", scores, 2, answer, sizeof answer) < 0) break;
    fputs(answer, stdout);
  }
  if (fd >= 0) close(fd);
  return fd < 0;
}
