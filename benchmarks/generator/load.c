/* Load for a token endpoint: one thread, epoll, HTTP/1.1 with keep-alive, a closed loop on each connection.
 *
 *     load PORT CONNECTIONS WARM_UP_MS COUNT_MS PLAN
 *
 * PLAN is a file of lines: `method M`, `path P`, `header NAME: VALUE` (any number), `body B`, `rotates MEMBER`, `token T`
 * (any number). `{token}` in path, headers and body stands for the connection's token. With `rotates`, each connection
 * walks chains of its own: the next request presents what the answer named MEMBER. It speaks to 127.0.0.1 alone.
 *
 * Says `counting` when the warm-up is over and `counted` when counting ends; then one line of JSON. Answers count if they
 * are complete within the counted time. After it, requests under way are waited for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_CONNECTIONS = 1024,
    MOST_MILLISECONDS = 600 * 1000,
    MOST_TOKENS = 1000 * 1000,
    LONGEST_ANSWER = 1 << 20,
    LONGEST_REQUEST = 1 << 16,
    PATIENCE_US = 30 * 1000 * 1000, /* for one answer */
    DRAIN_US = 10 * 1000 * 1000,
    ENOUGH_FAILURES = 3, /* of the server (5xx) on one token, and the chain is given up */
};

typedef struct {
    int fd;
    char out[LONGEST_REQUEST];
    size_t out_length, out_sent;
    char *in;
    size_t in_length, in_room;
    bool busy, fresh; /* fresh: nothing has been answered on this socket yet */
    int64_t started;
    int chain; /* index in tokens; -1 when all its chains are dead */
    int failures;
} Connection;

static struct {
    char method[16], path[4096], headers[16384], body[16384], member[64];
    char **tokens;
    int count;
    bool rotates;
} plan;

static Connection *connections;
static int connection_count, port, poller;
static int64_t count_from, count_until;
static uint32_t *latencies;
static size_t latency_count, latency_room;
static long statuses[600], unchanged, reconnections, refused, cut_off, malformed, timed_out, dead_chains;

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(2);
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double cpu_ms(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void append(char *target, size_t room, const char *text) {
    if (strlen(target) + strlen(text) >= room) die("the plan is too long");
    strcat(target, text);
}

static void read_plan(const char *name) {
    FILE *file = fopen(name, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    if (!file) die("%s: %s", name, strerror(errno));
    plan.tokens = calloc(MOST_TOKENS, sizeof *plan.tokens);
    while ((length = getline(&line, &room, file)) > 0) {
        char *value = strchr(line, ' ');
        if (line[length - 1] == '\n') line[length - 1] = 0;
        if (!value) die("%s: a line without a value", name);
        *value++ = 0;
        if (!strcmp(line, "method")) append(plan.method, sizeof plan.method, value);
        else if (!strcmp(line, "path")) append(plan.path, sizeof plan.path, value);
        else if (!strcmp(line, "body")) append(plan.body, sizeof plan.body, value);
        else if (!strcmp(line, "rotates")) { plan.rotates = true; append(plan.member, sizeof plan.member, value); }
        else if (!strcmp(line, "header")) { append(plan.headers, sizeof plan.headers, value); append(plan.headers, sizeof plan.headers, "\r\n"); }
        else if (!strcmp(line, "token") && plan.count < MOST_TOKENS) plan.tokens[plan.count++] = strdup(value);
        else die("%s: what is %s?", name, line);
    }
    free(line);
    fclose(file);
    if (!plan.method[0] || !plan.path[0]) die("%s: no method or no path", name);
    if (plan.rotates && plan.count < connection_count) die("%d chains are too few for %d connections", plan.count, connection_count);
}

/* Writes text with the token in place of each {token}; returns the length. */
static size_t fill_in(char *target, size_t room, const char *text, const char *token) {
    size_t length = 0;
    while (*text) {
        const char *place = strstr(text, "{token}");
        size_t plain = place ? (size_t)(place - text) : strlen(text);
        size_t more = place ? strlen(token) : 0;
        if (length + plain + more + 1 >= room) die("a request is too long");
        memcpy(target + length, text, plain);
        memcpy(target + length + plain, token, more);
        length += plain + more;
        text += plain + (place ? strlen("{token}") : 0);
    }
    target[length] = 0;
    return length;
}

static void write_request(Connection *c) {
    char path[8192], headers[32768], body[32768];
    const char *token = c->chain >= 0 && plan.count ? plan.tokens[c->chain] : "";
    size_t body_length = fill_in(body, sizeof body, plan.body, token);
    char length[64] = "";
    int written;
    fill_in(path, sizeof path, plan.path, token);
    fill_in(headers, sizeof headers, plan.headers, token);
    if (body_length || !strcmp(plan.method, "POST")) snprintf(length, sizeof length, "Content-Length: %zu\r\n", body_length);
    written = snprintf(c->out, sizeof c->out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n%s", plan.method, path, port, headers, length, body);
    if (written < 0 || (size_t)written >= sizeof c->out) die("a request is too long");
    c->out_length = (size_t)written;
    c->out_sent = 0;
    c->in_length = 0;
}

static void watch(Connection *c, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &event)) die("epoll: %s", strerror(errno));
}

static void connect_socket(Connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) die("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    c->fresh = true;
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) die("connect: %s", strerror(errno));
    watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

static void disconnect(Connection *c) {
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
}

/* Sends the request under way on a new socket: as a client does whose kept connection was closed before the answer. */
static void reconnect(Connection *c) {
    disconnect(c);
    c->out_sent = 0;
    c->in_length = 0;
    connect_socket(c);
}

static void begin(Connection *c) {
    if (now_us() >= count_until || (plan.rotates && c->chain < 0)) {
        c->busy = false;
        return;
    }
    write_request(c);
    c->busy = true;
    c->started = now_us();
    if (c->fd < 0) connect_socket(c);
    else watch(c, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

/* Goes on with the next chain of this connection: they are dealt out round robin. */
static void next_chain(Connection *c, bool dead) {
    int at = c->chain, tries = plan.count / connection_count + 1;
    if (!plan.count) return;
    if (dead) {
        free(plan.tokens[at]);
        plan.tokens[at] = NULL;
        dead_chains++;
    }
    while (tries--) {
        at += connection_count;
        if (at >= plan.count) at %= connection_count;
        if (plan.tokens[at]) {
            c->chain = at;
            return;
        }
    }
    c->chain = -1;
}

static void note(int64_t latency) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? latency_room * 2 : 1 << 16;
        latencies = realloc(latencies, latency_room * sizeof *latencies);
        if (!latencies) die("out of memory");
    }
    latencies[latency_count++] = (uint32_t)latency;
}

/* Returns the value of a JSON string member, cut out of the body in place; NULL if it has none we can use. */
static char *member_of(char *body) {
    char name[80];
    char *at, *end;
    snprintf(name, sizeof name, "\"%s\"", plan.member);
    at = strstr(body, name);
    if (!at) return NULL;
    at += strlen(name);
    at += strspn(at, " \t\r\n");
    if (*at++ != ':') return NULL;
    at += strspn(at, " \t\r\n");
    if (*at++ != '"') return NULL;
    end = strpbrk(at, "\"\\");
    if (!end || *end != '"') return NULL;
    *end = 0;
    return at;
}

static void rotate(Connection *c, char *body) {
    char *next = member_of(body);
    if (!next) {
        malformed++;
        next_chain(c, true);
        return;
    }
    if (!strcmp(next, plan.tokens[c->chain])) unchanged++;
    free(plan.tokens[c->chain]);
    plan.tokens[c->chain] = strdup(next);
    next_chain(c, false);
}

static void answered(Connection *c, int status, char *body) {
    int64_t now = now_us();
    bool counts = now >= count_from && now < count_until;
    if (counts) {
        statuses[status]++;
        if (status == 200) note(now - c->started);
    }
    c->fresh = false;
    if (!plan.rotates) {
        next_chain(c, false);
        return;
    }
    if (status == 200) {
        c->failures = 0;
        rotate(c, body);
    } else if (status < 500 || ++c->failures >= ENOUGH_FAILURES) {
        c->failures = 0;
        next_chain(c, true);
    }
}

/* Puts chunks together in place (RFC 9112 §7.1). Returns 1 when the last has come, 0 if not yet, -1 if malformed. */
static int join_chunks(char *body, char *end) {
    char *read = body, *write = body;
    for (;;) {
        char *line_end = strstr(read, "\r\n"), *digits_end;
        unsigned long size;
        if (!line_end) return 0;
        size = strtoul(read, &digits_end, 16);
        if (digits_end == read || size > LONGEST_ANSWER) return -1;
        read = line_end + 2;
        if (size == 0) {
            char *last = strstr(line_end, "\r\n\r\n"); /* after trailers, if any */
            if (!last) return 0;
            *write = 0;
            return 1;
        }
        if (read + size + 2 > end) return 0;
        memmove(write, read, size);
        write += size;
        read += size + 2;
    }
}

typedef struct {
    int status;
    long length; /* -1: not told */
    bool chunked, closes;
} Head;

static bool read_head(char *text, Head *head) {
    char *line;
    *head = (Head){.length = -1};
    if (sscanf(text, "HTTP/1.%*1[01] %3d", &head->status) != 1 || head->status < 100 || head->status > 599) return false;
    head->closes = !strncmp(text, "HTTP/1.0", 8);
    for (line = strstr(text, "\r\n"); line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        char *name = line + 2, *colon = strchr(name, ':'), *value;
        if (!colon) return false;
        value = colon + 1 + strspn(colon + 1, " \t");
        if (!strncasecmp(name, "content-length:", 15)) head->length = strtol(value, NULL, 10);
        if (!strncasecmp(name, "transfer-encoding:", 18)) head->chunked = !strncasecmp(value, "chunked", 7);
        if (!strncasecmp(name, "connection:", 11)) head->closes = !strncasecmp(value, "close", 5);
    }
    return head->length <= LONGEST_ANSWER;
}

/* Returns 1 when the answer is complete, 0 if not yet, -1 if it makes no sense. A joined body is only joined once. */
static int complete(Connection *c, bool at_end, Head *head, char **body) {
    char *blank, *end;
    for (;;) {
        c->in[c->in_length] = 0;
        blank = strstr(c->in, "\r\n\r\n");
        if (!blank) return 0;
        if (!read_head(c->in, head)) return -1;
        if (head->status >= 200) break;
        /* "A client MUST be able to parse one or more 1xx responses received prior to a final response" (RFC 9110 §15.2) */
        c->in_length -= (size_t)(blank + 4 - c->in);
        memmove(c->in, blank + 4, c->in_length);
    }
    *body = blank + 4;
    end = c->in + c->in_length;
    if (head->status == 204 || head->status == 304) return 1;
    if (head->chunked) {
        char *copy = strndup(*body, (size_t)(end - *body));
        int whole = join_chunks(copy, copy + (end - *body));
        if (whole == 1) strcpy(*body, copy);
        free(copy);
        return whole;
    }
    if (head->length >= 0) {
        if (end - *body < head->length) return 0;
        (*body)[head->length] = 0;
        return 1;
    }
    head->closes = true;
    return at_end ? 1 : 0;
}

static void lost(Connection *c) {
    /* A server may close a kept connection at any time; only what happens to a new one is an error. */
    if (!c->fresh && c->in_length == 0) {
        reconnections++;
        reconnect(c);
        return;
    }
    if (c->in_length) cut_off++;
    else refused++;
    if (refused > 10000) die("the server refuses connections");
    disconnect(c);
    if (plan.rotates) next_chain(c, true);
    begin(c);
}

static void receive(Connection *c) {
    bool at_end = false;
    Head head;
    char *body;
    int whole;
    for (;;) {
        ssize_t got;
        if (c->in_room - c->in_length < 4096) {
            c->in_room = c->in_room ? c->in_room * 2 : 16384;
            if (c->in_room > 2 * LONGEST_ANSWER) die("an answer is too long");
            c->in = realloc(c->in, c->in_room);
            if (!c->in) die("out of memory");
        }
        got = recv(c->fd, c->in + c->in_length, c->in_room - c->in_length - 1, 0);
        if (got > 0) {
            c->in_length += (size_t)got;
            continue;
        }
        at_end = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
        break;
    }
    if (!c->busy) {
        if (at_end) disconnect(c);
        return;
    }
    whole = c->in_length ? complete(c, at_end, &head, &body) : 0;
    if (whole == 0) {
        if (at_end) lost(c);
        return;
    }
    if (whole < 0) {
        malformed++;
        disconnect(c);
        if (plan.rotates) next_chain(c, true);
        begin(c);
        return;
    }
    answered(c, head.status, body);
    if (head.closes || at_end) disconnect(c);
    begin(c);
}

static void send_more(Connection *c) {
    while (c->out_sent < c->out_length) {
        ssize_t sent = send(c->fd, c->out + c->out_sent, c->out_length - c->out_sent, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOTCONN) return;
            lost(c);
            return;
        }
        c->out_sent += (size_t)sent;
    }
    watch(c, EPOLLIN, EPOLL_CTL_MOD);
}

static void give_up_on_the_slow(void) {
    int64_t now = now_us();
    for (int i = 0; i < connection_count; i++) {
        Connection *c = &connections[i];
        if (!c->busy || now - c->started < PATIENCE_US) continue;
        timed_out++;
        disconnect(c);
        if (plan.rotates) next_chain(c, true);
        begin(c);
    }
}

static bool all_idle(void) {
    for (int i = 0; i < connection_count; i++)
        if (connections[i].busy) return false;
    return true;
}

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile(double share) {
    size_t at = (size_t)(share * (double)latency_count);
    if (!latency_count) return 0;
    return latencies[at < latency_count ? at : latency_count - 1] / 1e3;
}

static void report(double generator_cpu_ms) {
    bool first = true;
    qsort(latencies, latency_count, sizeof *latencies, ascending);
    printf("{\"requests\": %zu, \"seconds\": %.3f, \"p50_ms\": %.3f, \"p90_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, ",
           latency_count, (count_until - count_from) / 1e6, percentile(.5), percentile(.9), percentile(.99), percentile(1));
    printf("\"statuses\": {");
    for (int status = 0; status < 600; status++)
        if (statuses[status]) {
            printf("%s\"%d\": %ld", first ? "" : ", ", status, statuses[status]);
            first = false;
        }
    printf("}, \"unchanged\": %ld, \"reconnections\": %ld, \"refused\": %ld, \"cut_off\": %ld, \"malformed\": %ld, ", unchanged,
           reconnections, refused, cut_off, malformed);
    printf("\"timed_out\": %ld, \"dead_chains\": %ld, \"generator_cpu_ms\": %.1f}\n", timed_out, dead_chains, generator_cpu_ms);
}

static void step(void) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, 20);
    for (int i = 0; i < count; i++) {
        Connection *c = events[i].data.ptr;
        int fd = c->fd;
        if (fd < 0) continue;
        if ((events[i].events & EPOLLOUT) && c->busy) send_more(c);
        if (c->fd == fd && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP))) receive(c);
    }
}

static void say(const char *word) {
    puts(word);
    fflush(stdout);
}

static long number(const char *text, long least, long most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end || value < least || value > most) die("%s: not a number from %ld to %ld", text, least, most);
    return value;
}

int main(int argc, char **argv) {
    bool counting = false;
    double cpu_before = 0, cpu = 0;
    int64_t start, next_look = 0;
    if (argc != 6) die("usage: load PORT CONNECTIONS WARM_UP_MS COUNT_MS PLAN");
    port = (int)number(argv[1], 1, 65535);
    connection_count = (int)number(argv[2], 1, MOST_CONNECTIONS);
    start = now_us();
    count_from = start + 1000 * number(argv[3], 0, MOST_MILLISECONDS);
    count_until = count_from + 1000 * number(argv[4], 1, MOST_MILLISECONDS);
    read_plan(argv[5]);
    poller = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc((size_t)connection_count, sizeof *connections);
    if (poller < 0 || !connections) die("no room");
    for (int i = 0; i < connection_count; i++) {
        connections[i].fd = -1;
        connections[i].chain = plan.count ? i % plan.count : -1;
        begin(&connections[i]);
    }
    while (now_us() < count_until) {
        if (!counting && now_us() >= count_from) {
            counting = true;
            cpu_before = cpu_ms();
            say("counting");
        }
        step();
        if (now_us() > next_look) {
            give_up_on_the_slow();
            next_look = now_us() + 500000;
            if (all_idle()) break;
        }
    }
    cpu = cpu_ms() - cpu_before;
    if (!counting) say("counting");
    say("counted");
    while (!all_idle() && now_us() < count_until + DRAIN_US) step();
    report(cpu);
    return 0;
}
