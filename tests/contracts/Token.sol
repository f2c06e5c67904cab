// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// An ERC-20 anybody can mint. `pause` makes every balance unreadable, as an upgrade gone wrong does.
contract Token {
    uint8 public constant decimals = 6;
    uint256 public totalSupply;
    bool public paused;
    mapping(address => uint256) private held;

    event Transfer(address indexed from, address indexed to, uint256 amount);

    function balanceOf(address holder) external view returns (uint256) {
        require(!paused, "paused");
        return held[holder];
    }

    function mint(address holder, uint256 amount) external {
        held[holder] += amount;
        totalSupply += amount;
        emit Transfer(address(0), holder, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        held[msg.sender] -= amount;
        held[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }

    function pause(bool on) external {
        paused = on;
    }
}
