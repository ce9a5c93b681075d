"""The embedded pipeline beside source-extractor, SCAMP, SWarp and PSFEx, on the same pixels."""
