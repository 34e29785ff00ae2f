/* Client sends a request to the tuple space, and prints the reply. A request
 * is one JSON object in one frame, as ../README.md describes it.
 *
 *   cc client.c -o client -lzmq
 *   ./client tcp://127.0.0.1:5678 '{"op":"write","tuples":[["fac",5]]}'
 */
#include <stdio.h>
#include <string.h>
#include <zmq.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: client address request\n");
        return 1;
    }
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_REQ);
    zmq_msg_t reply;
    zmq_msg_init(&reply);
    if (zmq_connect(socket, argv[1]) < 0 ||
        zmq_send(socket, argv[2], strlen(argv[2]), 0) < 0 ||
        zmq_msg_recv(&reply, socket, 0) < 0) {
        perror("client");
        return 1;
    }
    printf("%.*s\n", (int)zmq_msg_size(&reply), (char *)zmq_msg_data(&reply));
    zmq_msg_close(&reply);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
