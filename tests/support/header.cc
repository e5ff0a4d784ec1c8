// Carries the precompiled catch.hpp that all tests reuse.
