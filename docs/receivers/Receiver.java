// A receiver of genq's webhooks, with nothing but Java 17.
//
//   GENQ_WEBHOOK_SECRET=whsec_… java Receiver.java

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    private static final byte[] KEY = Base64.getDecoder()
        .decode(System.getenv("GENQ_WEBHOOK_SECRET").substring("whsec_".length()));
    // A table with a unique column, where there is more than one process.
    private static final Set<String> SEEN = ConcurrentHashMap.newKeySet();

    public static void main(String[] arguments) throws IOException {
        var workers = Executors.newFixedThreadPool(4);
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 9999), 0);
        server.createContext("/hooks/genq", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            boolean genuine = isGenuine(exchange, body);
            exchange.sendResponseHeaders(genuine ? 204 : 401, -1); // answer first, work afterwards
            exchange.close();
            // The same event may come twice, always under the same id.
            if (genuine && SEEN.add(header(exchange, "webhook-id"))) {
                workers.submit(() -> work(new String(body, StandardCharsets.UTF_8)));
            }
        });
        server.start();
    }

    static boolean isGenuine(HttpExchange exchange, byte[] body) {
        try {
            String id = header(exchange, "webhook-id");
            String timestamp = header(exchange, "webhook-timestamp");
            if (Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp)) > 300) {
                return false; // too old, or the clock of one of us is wrong
            }
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(KEY, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            byte[] expected = ("v1," + Base64.getEncoder().encodeToString(mac.doFinal(body)))
                .getBytes(StandardCharsets.UTF_8);
            // Several signatures, while a secret is being changed for a new one.
            for (String signature : header(exchange, "webhook-signature").split(" ")) {
                if (MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.UTF_8))) {
                    return true;
                }
            }
            return false;
        } catch (GeneralSecurityException | NumberFormatException error) {
            return false;
        }
    }

    static String header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name)).orElse("");
    }

    static void work(String event) {
        System.out.println(event); // give it to your JSON library
    }
}
