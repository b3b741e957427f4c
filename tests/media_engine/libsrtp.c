/* Seals and opens packets by libsrtp2 for a test at the other end of two pipes.
 *
 * A request is: what ('N', 'P', 'U', 'p', 'u'), which session, length (2 bytes), bytes.
 * 'N' makes a session: suite, whether it sends, master key and salt. 'P' and 'U' protect and
 * unprotect RTP, 'p' and 'u' RTCP. The answer is: libsrtp's status, length (2 bytes), bytes. */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <string.h>

static srtp_t sessions[256];
static unsigned char keys[256][64];

static int make(int which, unsigned char *bytes, int length) {
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    switch (bytes[0]) {
    case 0:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
        break;
    case 1:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
        break;
    case 2:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
        break;
    default:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtcp);
    }
    memcpy(keys[which], bytes + 2, length - 2);
    policy.ssrc.type = bytes[1] ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = keys[which];
    policy.window_size = 128;
    return srtp_create(&sessions[which], &policy);
}

int main(void) {
    unsigned char head[4], answer[3];
    /* libsrtp writes whole words beyond what a packet needs. */
    static unsigned char bytes[4096] __attribute__((aligned(16)));
    if (srtp_init() != srtp_err_status_ok)
        return 1;
    while (fread(head, 1, 4, stdin) == 4) {
        int length = head[2] << 8 | head[3], status;
        if (length > 2048 || fread(bytes, 1, length, stdin) != (size_t)length)
            return 1;
        srtp_t session = sessions[head[1]];
        switch (head[0]) {
        case 'N': status = make(head[1], bytes, length); break;
        case 'P': status = srtp_protect(session, bytes, &length); break;
        case 'U': status = srtp_unprotect(session, bytes, &length); break;
        case 'p': status = srtp_protect_rtcp(session, bytes, &length); break;
        case 'u': status = srtp_unprotect_rtcp(session, bytes, &length); break;
        default: return 1;
        }
        if (status != srtp_err_status_ok || head[0] == 'N')
            length = 0;
        answer[0] = status;
        answer[1] = length >> 8;
        answer[2] = length;
        fwrite(answer, 1, 3, stdout);
        fwrite(bytes, 1, length, stdout);
        fflush(stdout);
    }
    return 0;
}
