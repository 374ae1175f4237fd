"""The REST and Tooling resources and the queries behind them."""
