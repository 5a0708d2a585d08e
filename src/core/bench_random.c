#include "core/bench_random.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void bench_random_seed(struct bench_random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		random->state[i] = splitmix(&seed);
}

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t bench_random_next(struct bench_random *random)
{
	uint64_t *s = random->state;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double bench_random_real(struct bench_random *random)
{
	return (double)(bench_random_next(random) >> 11) * 0x1.0p-53;
}

uint64_t bench_random_below(struct bench_random *random, uint64_t limit)
{
	/* Lemire's multiplication; its bias is below 2^-24 for every limit we take. */
	return (uint64_t)(((unsigned __int128)bench_random_next(random) * limit) >> 64);
}

double bench_random_exponential(struct bench_random *random, double mean)
{
	return -log1p(-bench_random_real(random)) * mean;
}

/* (exp(x) - 1) / x and log(1 + x) / x, also near 0. */
static double expm1_over(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2 * (1 + x / 3);
}

static double log1p_over(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x * (0.5 - x / 3);
}

/* The integral of 1/x^exponent, its inverse, and the function itself. */
static double h_integral(const struct bench_zipf *zipf, double x)
{
	double log_x = log(x);

	return expm1_over((1 - zipf->exponent) * log_x) * log_x;
}

static double h_inverse(const struct bench_zipf *zipf, double x)
{
	double t = x * (1 - zipf->exponent);

	return exp(log1p_over(t < -1 ? -1 : t) * x);
}

static double h(const struct bench_zipf *zipf, double x)
{
	return exp(-zipf->exponent * log(x));
}

void bench_zipf_init(struct bench_zipf *zipf, double exponent, uint64_t count)
{
	*zipf = (struct bench_zipf){.exponent = exponent, .count = (double)count};
	zipf->h_first = h_integral(zipf, 1.5) - 1;
	zipf->h_last = h_integral(zipf, zipf->count + 0.5);
	zipf->s = 2 - h_inverse(zipf, h_integral(zipf, 2.5) - h(zipf, 2));
}

uint64_t bench_zipf_next(const struct bench_zipf *zipf, struct bench_random *random)
{
	for (;;) {
		double u =
		    zipf->h_last + bench_random_real(random) * (zipf->h_first - zipf->h_last);
		double x = h_inverse(zipf, u);
		double k = floor(x + 0.5);

		k = k < 1 ? 1 : k > zipf->count ? zipf->count : k;
		if (k - x <= zipf->s || u >= h_integral(zipf, k + 0.5) - h(zipf, k))
			return (uint64_t)k - 1;
	}
}
