module example.com/ship
